# SPDX-License-Identifier: Apache-2.0
"""The layer's asset: named by its inputs, the same everywhere, and without what people's machines need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from infra.bundling import (
    LAYER_DIR,
    PDF_LAYER_DIR,
    BundlingError,
    LambdaBundling,
    LocalBundling,
    build_layer,
    discard_unfinished,
    layer_hash,
)
from infra.bytecode import BytecodeError, find_python
from tests.infra.synth import Synthesized, TinyBundling


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small layer with everything that must and must not be shipped."""
    root = tmp_path / "ledger"
    package = root / "python" / "indelible"
    for name in ("__init__.py", "errors.py", "domain/record.py", "cli/main.py", "client/http.py", "entry/operator.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(f"# {name}\n")
    (package / "domain/__pycache__").mkdir()
    (package / "domain/__pycache__/record.cpython-311.pyc").write_bytes(b"old")
    (root / "requirements.txt").write_text("# nothing\n")
    return root


def files(directory: Path) -> set[str]:
    return {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}


def test_only_what_runs_in_lambda_is_shipped(source: Path, tmp_path: Path) -> None:
    build_layer(tmp_path / "out", bundling=TinyBundling(), source=source)
    assert files(tmp_path / "out") == {
        "python/tiny.py",
        "python/indelible/__init__.py",
        "python/indelible/errors.py",
        "python/indelible/domain/record.py",
    }


def test_what_the_evidence_page_is_made_of_is_shipped(tmp_path: Path) -> None:
    build_layer(tmp_path / "out", bundling=TinyBundling(), source=LAYER_DIR)
    shipped = files(tmp_path / "out")
    page = LAYER_DIR / "python" / "indelible" / "page"
    assert {"template.html", "base.css", "main.js"} <= {Path(name).name for name in shipped}
    assert {f"python/indelible/page/{name}" for name in files(page) if not name.endswith(".pyc")} <= shipped


def test_the_hash_names_the_inputs_and_nothing_else(source: Path, tmp_path: Path) -> None:
    original = layer_hash(bundling=TinyBundling(), source=source)
    elsewhere = shutil.copytree(source, tmp_path / "another" / "checkout")
    (elsewhere / "python/indelible/domain/__pycache__/new.cpython-314.pyc").write_bytes(b"new")
    (elsewhere / "python/indelible/cli/main.py").write_text("# changed, but not shipped\n")
    assert layer_hash(bundling=TinyBundling(), source=elsewhere) == original


@pytest.mark.parametrize("changed", ["requirements.txt", "python/indelible/errors.py", "python/indelible/new.py"])
def test_a_changed_input_changes_the_hash(source: Path, changed: str) -> None:
    original = layer_hash(bundling=TinyBundling(), source=source)
    (source / changed).write_text("# changed\n")
    assert layer_hash(bundling=TinyBundling(), source=source) != original


def test_a_moved_file_changes_the_hash(source: Path) -> None:
    original = layer_hash(bundling=TinyBundling(), source=source)
    (source / "python/indelible/errors.py").rename(source / "python/indelible/error.py")
    assert layer_hash(bundling=TinyBundling(), source=source) != original


def test_layers_for_different_targets_are_never_mistaken_for_each_other(source: Path) -> None:
    assert layer_hash(bundling=LambdaBundling(), source=source) != layer_hash(bundling=TinyBundling(), source=source)


def test_a_package_that_cannot_be_installed_stops_the_bundling(source: Path, tmp_path: Path) -> None:
    # No hash: pip refuses before it asks any index.
    (source / "requirements.txt").write_text("rfc8785==0.1.4\n")
    with pytest.raises(BundlingError, match="pip could not install"):
        build_layer(tmp_path / "out", bundling=LambdaBundling(), source=source)


def test_an_interrupted_bundling_is_not_taken_for_a_layer(tmp_path: Path) -> None:
    """What a killed synth leaves: the CDK would publish it, since the directory has the right name."""
    (tmp_path / "asset.empty").mkdir()
    for name in ("complete", "interrupted"):
        (tmp_path / f"asset.{name}" / "python").mkdir(parents=True)
    (tmp_path / "asset.interrupted" / ".unfinished").touch()
    (tmp_path / "asset.of-another-kind.zip").touch()
    discard_unfinished(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"asset.complete", "asset.of-another-kind.zip"}


def test_what_is_being_built_says_so_until_it_is_complete(tmp_path: Path) -> None:
    seen: list[set[str]] = []

    class Watched(TinyBundling):
        def install(self, requirements: Path, destination: Path) -> None:
            seen.append(files(tmp_path))
            super().install(requirements, destination)

    assert LocalBundling(Watched()).try_bundle(str(tmp_path))
    assert seen == [{".unfinished"}]
    assert ".unfinished" not in files(tmp_path)
    assert "python/indelible/errors.py" in files(tmp_path)


def published(synthesized: Synthesized, name: str = "Layer") -> list[str]:
    """The asset of each stack's layer of this name."""
    layers = synthesized.resources("AWS::Lambda::LayerVersion")
    return [
        layer["Properties"]["Content"]["S3Key"].removesuffix(".zip")
        for logical_id, layer in layers
        if logical_id.startswith(f"{name}Version")
    ]


def test_both_stacks_publish_one_and_the_same_asset(prod: Synthesized) -> None:
    assert len(published(prod)) == 2
    assert len(set(published(prod))) == 1


def test_what_makes_pdfs_is_a_layer_of_the_function_that_packs_alone(prod: Synthesized) -> None:
    (asset,) = published(prod, "ExportsPdfLayer")
    assert files(prod.directory / f"asset.{asset}") == {"python/tiny.py"}
    layers = {
        logical_id: len(function["Properties"]["Layers"])
        for logical_id, function in prod.resources("AWS::Lambda::Function")
    }
    assert {logical_id for logical_id, count in layers.items() if count > 1} == {
        logical_id for logical_id in layers if logical_id.startswith("ExportsPackFunction")
    }
    assert set(layers.values()) == {1, 2}


def test_the_staged_asset_is_what_the_bundler_built(prod: Synthesized) -> None:
    staged = files(prod.directory / f"asset.{published(prod)[0]}")
    assert "python/tiny.py" in staged
    assert "python/indelible/errors.py" in staged
    assert not [name for name in staged if "__pycache__" in name]


@pytest.mark.parametrize("layer", [LAYER_DIR, PDF_LAYER_DIR], ids=["ledger", "pdf"])
def test_a_layer_is_pinned_by_hash(layer: Path) -> None:
    lines = (layer / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if "==" in line and not line.lstrip().startswith("#")]
    assert pins
    assert all(line.rstrip().endswith("\\") for line in pins), "a pin without a hash"


@dataclass(frozen=True)
class ThisPython(TinyBundling):
    """Compiles for the Python that runs the tests."""

    python: str | None = sys.executable


def compiled(site: Path) -> list[Path]:
    return sorted(site.rglob("*.pyc"))


def test_every_module_is_shipped_with_its_bytecode(tmp_path: Path) -> None:
    build_layer(tmp_path, bundling=ThisPython(), source=LAYER_DIR)
    site = tmp_path / "python"
    modules = list(site.rglob("*.py"))
    assert len(modules) > 100
    assert compiled(site) == sorted(Path(cache_from_source(str(path))) for path in modules)


def test_bytecode_is_loaded_whatever_the_times_of_the_files_say(source: Path, tmp_path: Path) -> None:
    """A zip keeps times to two seconds at best, and the CDK sets them all to one day of 1980."""
    (source / "python/indelible/errors.py").write_text("def where() -> str:\n    return __name__\n")
    build_layer(tmp_path / "out", bundling=ThisPython(), source=source)
    module = tmp_path / "out/python/indelible/errors.py"
    module.write_text("raise SystemError('compiled again')\n")
    os.utime(module, (0, 0))
    look = "import sys; sys.path[:0] = sys.argv[1:]; from indelible import errors; print(errors.where())"
    command = [sys.executable, "-I", "-S", "-B", "-c", look, str(tmp_path / "out/python")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "indelible.errors\n"


def test_the_same_inputs_give_the_same_bytecode_wherever_it_is_made(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "another" / "place"
    for place in (one, other):
        build_layer(place, bundling=ThisPython(), source=LAYER_DIR)
    assert files(one) == files(other)
    assert [path.read_bytes() for path in compiled(one)] == [path.read_bytes() for path in compiled(other)]
    assert all(b"/opt/python/" in path.read_bytes() for path in compiled(one))


def test_what_does_not_compile_is_not_delivered(source: Path, tmp_path: Path) -> None:
    (source / "python/indelible/errors.py").write_text("def (:\n")
    with pytest.raises(BytecodeError, match="could not compile"):
        build_layer(tmp_path, bundling=ThisPython(), source=source)


def test_a_layer_with_bytecode_is_another_one_than_without(source: Path) -> None:
    without, here = TinyBundling(), ThisPython()
    elsewhere = ThisPython(python="/another/python3.14")
    assert layer_hash(bundling=here, source=source) != layer_hash(bundling=without, source=source)
    assert layer_hash(bundling=here, source=source) == layer_hash(bundling=elsewhere, source=source)


def test_only_a_python_of_the_very_version_compiles(capfd: pytest.CaptureFixture[str]) -> None:
    found = find_python(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert found is not None
    look = "import sys; print(*sys.version_info[:2], sys.implementation.name)"
    told = subprocess.run([found, "-c", look], capture_output=True, text=True, check=True).stdout.split()
    assert told == [str(sys.version_info.major), str(sys.version_info.minor), "cpython"]
    assert find_python("3.2") is None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("found", ["/usr/bin/python3.14", None])
def test_who_has_not_the_python_of_the_functions_is_told(
    found: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("infra.bundling.find_python", lambda version: found if version == "3.14" else None)
    assert LambdaBundling.on_this_machine() == LambdaBundling(python=found)
    out, err = capsys.readouterr()
    assert out == ""  # it is jsii's
    assert ("uv python install 3.14" in err) == (found is None)
