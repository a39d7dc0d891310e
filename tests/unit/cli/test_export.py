# SPDX-License-Identifier: Apache-2.0
"""`indelible export` writes all of a file or nothing, and `indelible verify` believes what it wrote."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indelible.cli.main import cli
from indelible.domain.note import VerifierKey
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
    assert "records 1 to 10 of indelible/acme-corp, under a checkpoint of 8" in done.stderr
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
    assert "no signature is looked at" in done.stderr
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
    ],
)
def test_what_cannot_be_written_leaves_nothing(copy: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    out = tmp_path / "out" / "evidence.zip"
    out.parent.mkdir()
    done = run("export", copy, "--org", ORG, "-o", out, *words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert list(out.parent.iterdir()) == []


def test_a_bundle_is_no_source(copy: Path, tmp_path: Path) -> None:
    out = tmp_path / "evidence.zip"
    run("export", copy, "--org", ORG, "-o", out)
    done = run("export", out, "-o", tmp_path / "again.zip")
    assert (done.exit_code, "is a bundle already" in done.stderr) == (2, True)


def test_a_broken_chain_is_packed_and_said_to_be_broken(world: World, key: str, tmp_path: Path) -> None:
    place = world.administrator.key_of(ORG, 4)
    world.administrator.rewrite(place, world.sealed()[3].data.replace(b'"number":4', b'"number":5'))
    copy, out = copied(world.bucket, tmp_path / "copy"), tmp_path / "evidence.zip"
    done = run("export", copy, "--org", ORG, "--key", key, "-o", out)
    assert done.exit_code == 0
    assert "BROKEN_LINK at record 5" in done.stderr
    assert run("verify", out, "--key", key).exit_code == 1


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
