# SPDX-License-Identifier: Apache-2.0
"""The real asset for AWS, opened: nothing here runs arm64, so what Lambda would load is looked at instead."""

from __future__ import annotations

import ast
import re
import shutil
import sys
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.bundling import PDF_LAYER_DIR, ROOT, LambdaBundling, build_layer
from infra.bytecode import compile_ahead

#: What `packaging` is told instead of this machine's own values.
LAMBDA = {
    "python_version": "3.14",
    "python_full_version": "3.14.0",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "aarch64",
    "os_name": "posix",
    "extra": "",
}
EM_AARCH64 = 183
GLIBC_OF_AMAZON_LINUX_2023 = (2, 34)
LAMBDA_LIMIT_BYTES = 250 * 1024 * 1024
#: Gone from the standard library between this interpreter (3.11 or later) and Lambda's 3.14.
REMOVED = {
    "aifc",
    "asynchat",
    "asyncore",
    "audioop",
    "cgi",
    "cgitb",
    "chunk",
    "crypt",
    "distutils",
    "imghdr",
    "imp",
    "mailcap",
    "msilib",
    "nis",
    "nntplib",
    "ossaudiodev",
    "pipes",
    "smtpd",
    "sndhdr",
    "spwd",
    "sunau",
    "telnetlib",
    "uu",
    "xdrlib",
    "lib2to3",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The asset's ``python/`` directory, which Lambda puts on ``sys.path``."""
    directory = tmp_path_factory.mktemp("layer")
    build_layer(directory, bundling=LambdaBundling())
    return directory / "python"


@pytest.fixture(scope="module")
def both(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the function that packs exports finds there: its second layer is unpacked over the first."""
    directory = tmp_path_factory.mktemp("layers")
    shutil.copytree(site, directory / "python")
    build_layer(directory, bundling=LambdaBundling(), source=PDF_LAYER_DIR)
    return directory / "python"


def handlers() -> list[Path]:
    found = sorted((ROOT / "lambdas").glob("*/handler.py"))
    assert {path.parent.name for path in found} >= {"record", "prove", "verify", "anchor"}
    return found


def resolve(site: Path, module: str) -> Path | None:
    """The file that importing the dotted name would load from the asset."""
    base = site.joinpath(*module.split("."))
    candidates = [base / "__init__.py", base.with_suffix(".py"), *base.parent.glob(f"{base.name}.*.so")]
    if base.is_dir():  # a namespace package
        candidates.append(base)
    return next((path for path in candidates if path.exists()), None)


def imports(path: Path) -> Iterator[tuple[str, list[str]]]:
    """(module, imported names) of every import that runs, those inside functions included."""

    def visit(node: ast.AST) -> Iterator[tuple[str, list[str]]]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.orelse:
                yield from visit(child)
            return
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module, [alias.name for alias in node.names]
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    yield from visit(ast.parse(path.read_text(encoding="utf-8")))


def walk(site: Path, start: list[Path]) -> tuple[set[Path], set[str]]:
    """Our own files reachable from ``start``, and every module that is missing from the asset."""
    seen: set[Path] = set()
    missing: set[str] = set()
    queue = list(start)
    while queue:
        path = queue.pop()
        if path in seen:
            continue
        seen.add(path)
        for module, names in imports(path):
            top = module.partition(".")[0]
            if top in sys.stdlib_module_names:
                if top in REMOVED:
                    missing.add(f"{module} (removed from Python) in {path.name}")
                continue
            found = resolve(site, module)
            if found is None:
                missing.add(f"{module} in {path.name}")
                continue
            if top == "indelible":
                parts = module.split(".")
                parents = [".".join(parts[:i]) for i in range(1, len(parts) + 1)]
                submodules = [f"{module}.{name}" for name in names]
                ours = (resolve(site, name) for name in [*parents, *submodules])
                queue += [file for file in ours if file is not None and file.suffix == ".py"]
    return seen, missing


@pytest.mark.parametrize("handler", [path.parent.name for path in sorted((ROOT / "lambdas").glob("*/handler.py"))])
def test_every_import_that_a_handler_leads_to_is_in_the_asset(site: Path, both: Path, handler: str) -> None:
    reached, missing = walk(both if handler == "pack" else site, [ROOT / "lambdas" / handler / "handler.py"])
    assert not missing
    assert len(reached) > 5, "the walk did not get into the package"


def test_every_module_of_the_package_finds_its_imports(both: Path) -> None:
    _, missing = walk(both, sorted((both / "indelible").rglob("*.py")))
    assert not missing


def test_handlers_import_the_layers_entry_only() -> None:
    for path in handlers():
        for module, _ in imports(path):
            top = module.partition(".")[0]
            assert top in sys.stdlib_module_names or module.startswith(("indelible.entry", "indelible.")), module


def test_the_walk_would_notice_a_missing_module(site: Path, tmp_path: Path) -> None:
    handler = tmp_path / "handler.py"
    handler.write_text("import imp\n\ndef f():\n    from indelible.cli import main\n    import pandas.core\n")
    _, missing = walk(site, [handler])
    assert {entry.split()[0] for entry in missing} == {"imp", "indelible.cli", "pandas.core"}


def test_the_command_line_and_the_client_stay_out(site: Path) -> None:
    for name in ("cli", "client"):
        assert not (site / "indelible" / name).exists()
    for name in ("entry/operator.py", "aws/crt_records.py", "views/parquet.py"):
        assert not (site / "indelible" / name).exists()
        assert (ROOT / "layers/ledger/python/indelible" / name).exists(), "it has moved"
    assert not (site / "bin").exists()
    shipped = {path.name for path in (site / "indelible").rglob("*")}
    assert not shipped & {"tests", "__pycache__"}


def test_every_compiled_file_is_for_lambdas_python_on_arm64(both: Path) -> None:
    compiled = [path for path in both.rglob("*") if re.search(r"\.so(\.|$)", path.name)]
    assert {path.relative_to(both).parts[0] for path in compiled} >= {"PIL", "cryptography", "msgspec"}
    for path in compiled:
        content = path.read_bytes()
        assert content[:4] == b"\x7fELF", path
        assert int.from_bytes(content[18:20], "little") == EM_AARCH64, path
        if not any(part.endswith(".libs") for part in path.parts):
            assert re.search(r"\.(cpython-314-aarch64-linux-gnu|abi3)\.so$", path.name), path
        wanted = {tuple(map(int, v.split(b"."))) for v in re.findall(rb"GLIBC_(2\.\d+)", content)}
        assert max(wanted, default=(2, 0)) <= GLIBC_OF_AMAZON_LINUX_2023, path


def test_what_each_package_requires_on_lambda_is_there(both: Path) -> None:
    # pip evaluates markers for the Python that it runs on: a dependency wanted by 3.14 only, or on arm64
    # only, would be left out without a word.
    metadata = [HeaderParser().parsestr(p.read_text()) for p in both.glob("*.dist-info/METADATA")]
    present = {canonicalize_name(m["Name"]): m["Version"] for m in metadata}
    assert present
    for distribution in metadata:
        for text in distribution.get_all("Requires-Dist") or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate(LAMBDA):
                version = present.get(canonicalize_name(requirement.name))
                assert version is not None, f"{distribution['Name']} requires {text}"
                assert requirement.specifier.contains(version), f"{distribution['Name']} requires {text}"
        python = distribution["Requires-Python"]
        assert python is None or Requirement(f"python{python}").specifier.contains("3.14"), distribution["Name"]


def test_all_of_it_compiles(both: Path, tmp_path: Path) -> None:
    """By this machine's Python, the older one: what that can read, Lambda's can."""
    copy = shutil.copytree(both, tmp_path / "python")
    compile_ahead(copy, python=sys.executable, runs_at="/opt/python")
    assert len(list(copy.rglob("*.pyc"))) == len(list(copy.rglob("*.py")))
    size = sum(path.stat().st_size for path in copy.rglob("*") if path.is_file())
    assert size < LAMBDA_LIMIT_BYTES / 2


def test_the_layer_fits(site: Path) -> None:
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    assert size < LAMBDA_LIMIT_BYTES / 2


def test_what_makes_pdfs_burdens_no_other_function(site: Path, both: Path) -> None:
    theirs = {path.name for path in both.iterdir()} - {path.name for path in site.iterdir()}
    assert {"PIL", "reportlab", "ttf_opensans"} <= theirs
    assert sum(path.stat().st_size for path in both.rglob("*") if path.is_file()) < LAMBDA_LIMIT_BYTES / 2
