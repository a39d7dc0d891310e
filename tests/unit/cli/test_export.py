# SPDX-License-Identifier: Apache-2.0
"""`indelible export` writes a whole file or nothing, and `indelible verify` accepts the bundle."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner, Result

from indelible.cli import export
from indelible.cli.main import cli
from indelible.domain.note import VerifierKey
from indelible.services.export import Exporter
from tests.fakes.audits import copied
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME
from tests.fakes.unpacked import Unpacked
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    world = World()
    world.record(*range(1, 9))
    world.anchored()
    world.record(9, 10)
    return world


@pytest.fixture
def copy(world: World, tmp_path: Path) -> Path:
    return copied(world.bucket, tmp_path / "copy")


@pytest.fixture
def key(world: World) -> str:
    return str(VerifierKey(LEDGER_NAME, world.signer.public_key()))


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_a_bundle_that_verifies(copy: Path, key: str, tmp_path: Path) -> None:
    out = tmp_path / "evidence.zip"
    done = run("export", copy, "--org", ORG, "--key", key, "-o", out)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{hashlib.sha256(out.read_bytes()).hexdigest()}  {out}\n"
    assert "records 1 to 10 of indelible/acme-corp, covered by the checkpoint of size 8" in done.stderr
    manifest = Unpacked.of(out.read_bytes()).manifest
    assert manifest["exported"] == {"valid": True, "first_broken_at": None, "failures_total": 0, "failures": []}
    checked = run("verify", out, "--key", key, "--json")
    assert checked.exit_code == 0, checked.output
    verdict = json.loads(checked.stdout)
    assert (verdict["valid"], verdict["entries_checked"], verdict["checkpoint"]["tree_size"]) == (True, 10, 8)


def test_without_a_key_the_bundle_has_the_same_files(copy: Path, key: str, tmp_path: Path) -> None:
    with_key, without = tmp_path / "a.zip", tmp_path / "b.zip"
    run("export", copy, "--org", ORG, "--key", key, "-o", with_key)
    done = run("export", copy, "--org", ORG, "-o", without)
    assert "signatures are not checked" in done.stderr
    assert with_key.read_bytes() == without.read_bytes()


def test_part_of_a_range(copy: Path, key: str, tmp_path: Path) -> None:
    out = tmp_path / "evidence.zip"
    assert run("export", copy, "--org", ORG, "--key", key, "--start", "3", "--end", "6", "-o", out).exit_code == 0
    assert Unpacked.of(out.read_bytes()).manifest["records"] == 4
    assert run("verify", out, "--key", key).exit_code == 0


def test_a_file_that_is_there_is_not_replaced(copy: Path, tmp_path: Path) -> None:
    out = tmp_path / "evidence.zip"
    out.write_text("mine")
    done = run("export", copy, "--org", ORG, "-o", out)
    assert (done.exit_code, out.read_text()) == (2, "mine")
    assert "--force" in done.stderr
    assert run("export", copy, "--org", ORG, "-o", out, "--force").exit_code == 0
    assert out.read_bytes().startswith(b"PK")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--start", "11"), "no record in this range"),
        (("--start", "4", "--end", "3"), "--end is before --start"),
        (("--from", "yesterday"), "--from"),
        (("--key", "nonsense"), "--key"),
        (("-o", "-"), "name a file"),
    ],
)
def test_what_cannot_be_written_leaves_nothing(copy: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    out = tmp_path / "out" / "evidence.zip"
    out.parent.mkdir()
    done = run("export", copy, "--org", ORG, "-o", out, *words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "No --key was given" not in done.stderr or "no record" in said, "it fails before reading anything"
    assert list(out.parent.iterdir()) == []


def test_of_a_bundle_views_can_be_made(copy: Path, tmp_path: Path) -> None:
    out = tmp_path / "evidence.zip"
    run("export", copy, "--org", ORG, "-o", out)
    again, cut = run("export", out, "-o", tmp_path / "again.zip"), tmp_path / "cut.csv"
    assert (again.exit_code, "is already a bundle" in again.stderr) == (2, True)
    assert run("export", out, "--start", "2", "--format", "csv", "-o", cut).exit_code == 2

    for form in ("csv", "pdf", "jsonl"):
        of_bundle, of_copy = tmp_path / f"a.{form}", tmp_path / f"b.{form}"
        assert run("export", out, "--format", form, "-o", of_bundle).exit_code == 0
        assert run("export", copy, "--org", ORG, "--format", form, "-o", of_copy).exit_code == 0
        assert of_bundle.read_bytes() == of_copy.read_bytes()

    out.write_bytes(out.read_bytes().replace(b'"number":4', b'"number":5', 1))
    broken = run("export", out, "--format", "csv", "-o", cut)
    assert (broken.exit_code, "is broken; run indelible verify" in broken.stderr) == (2, True)
    assert not cut.exists()


def test_a_broken_chain_is_packed_and_said_to_be_broken(world: World, key: str, tmp_path: Path) -> None:
    place = world.administrator.key_of(ORG, 4)
    world.administrator.rewrite(place, world.sealed()[3].data.replace(b'"number":4', b'"number":5'))
    copy, out = copied(world.bucket, tmp_path / "copy"), tmp_path / "evidence.zip"
    done = run("export", copy, "--org", ORG, "--key", key, "-o", out)
    assert done.exit_code == 0
    assert "BROKEN_LINK at record 5" in done.stderr
    assert run("verify", out, "--key", key).exit_code == 1

    view = tmp_path / "view.csv"
    for source in (copy / ORG, out):
        assert run("export", source, "--key", key, "--format", "csv", "-o", view, "--force").exit_code == 0
        with view.open(newline="", encoding="utf-8") as rows:
            assert {row["bundle_valid"] for row in csv.DictReader(rows)} == {"false"}
    run("export", out, "--format", "jsonl", "-o", view, "--force")
    proof = json.loads(view.read_bytes().splitlines()[0])["proved_by"]
    assert (proof["valid"], proof["first_broken_at"], proof["failures_total"] > 1) == (False, 5, True)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "aat", "ocsf", "pdf"])
def test_a_view_names_the_bundle_that_proves_it(copy: Path, tmp_path: Path, form: str) -> None:
    bundle, view = tmp_path / "evidence.zip", tmp_path / f"view.{form}"
    sha256 = run("export", copy, "--org", ORG, "--start", "2", "-o", bundle).stdout.split()[0]
    done = run("export", copy, "--org", ORG, "--start", "2", "--format", form, "-o", view)
    assert done.stdout == f"{hashlib.sha256(view.read_bytes()).hexdigest()}  {view}\n"
    assert sha256.encode() in view.read_bytes()
    if form == "csv":
        with view.open(newline="", encoding="utf-8") as rows:
            assert [row["sequence"] for row in csv.DictReader(rows)] == [str(number) for number in range(2, 11)]


def test_a_library_that_lacks_is_missed_before_anything_is_read(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = run("export", copy, "--org", ORG, "--format", "parquet", "-o", tmp_path / "x")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "parquet needs pyarrow: pip install '.[parquet]'" in done.stderr


@pytest.mark.parametrize(("full", "named"), [("output", "evidence.zip"), ("scratch", "temporary files")])
def test_a_full_disk_is_named(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str, named: str
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*((export, "_copy", refuse) if full == "output" else (Exporter, "bundle", refuse)))
    done = run("export", copy, "--org", ORG, "-o", tmp_path / "evidence.zip")
    assert done.exit_code == 2
    assert named in done.stderr.splitlines()[-1]
    assert done.stderr.endswith("No space left on device\n")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
