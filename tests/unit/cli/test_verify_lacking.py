# SPDX-License-Identifier: Apache-2.0
"""`indelible verify` if something that its options require is missing: neither valid nor broken."""

from __future__ import annotations

import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest

from indelible.services.ranges import Range
from tests.fakes.audits import copied, exported
from tests.fakes.chains import ORG
from tests.fakes.world import World
from tests.unit.cli.test_verify import KEY, run
from tests.unit.services.test_ledger_proof import ALICE, cosign, grown


@pytest.fixture(scope="module")
def world() -> World:
    """Eleven records; the last two are under no checkpoint."""
    made = World()
    made.record(*range(1, 10))
    made.anchored()
    made.record(100, 101)
    return made


def test_a_pinned_key_that_signed_for_none_of_the_records_is_lacking(world: World, tmp_path: Path) -> None:
    """An attacker who can write to a source can write a chain without checkpoints; pinning a key reveals that."""
    copied(world.bucket, tmp_path)
    shutil.rmtree(tmp_path / ORG / "_log")

    answer = run("verify", tmp_path / ORG, "--key", KEY)

    assert answer.exit_code == 2
    assert answer.stdout.startswith("VALID, BUT NOT CONFIRMED AS REQUIRED")
    assert "no root signed with the given key covers any of these records" in answer.stderr


@pytest.mark.parametrize(
    ("asked", "absent"),
    [
        (("--start", 2), "records 2 to 4: not in this bundle"),
        (("--end", 50), "records 9 to 50: not in this bundle"),
        (("--start", 4, "--end", 9), "record 4: not in this bundle; record 9: not in this bundle"),
    ],
)
def test_what_was_asked_for_and_is_not_in_the_bundle_is_lacking(
    world: World, tmp_path: Path, asked: tuple[object, ...], absent: str
) -> None:
    path = tmp_path / "part.zip"
    path.write_bytes(exported(world.bucket, Range(start_seq=5, end_seq=8)))

    answer = run("verify", path, "--key", KEY, *asked)

    assert answer.exit_code == 2
    assert answer.stderr == f"Could not check: {absent}\n"
    assert run("verify", path, "--key", KEY).exit_code == 0


def test_what_is_no_organisation_is_not_called_broken(world: World, tmp_path: Path) -> None:
    (tmp_path / "evidence.zip").write_bytes(exported(world.bucket))
    with ZipFile(tmp_path / "evidence.zip") as packed:
        packed.extractall(tmp_path / "unpacked")
    copied(world.bucket, tmp_path / "copy")
    (tmp_path / "copy" / "_ledger" / "_log").mkdir(parents=True, exist_ok=True)

    for command in (["verify"], ["show"], ["checkpoint"]):
        answer = run(*command, tmp_path / "unpacked", *(["1"] if command == ["show"] else []))
        assert (answer.exit_code, "is an unpacked evidence bundle" in answer.stderr) == (2, True)
    answer = run("verify", tmp_path / "copy", "--org", "_ledger")
    assert (answer.exit_code, "has no records" in answer.stderr) == (2, True)


def test_a_witness_of_what_was_before_the_range_has_vouched_for_none_of_it(tmp_path: Path) -> None:
    made = grown(1)
    cosign(made, 1, ALICE)
    made.record(2)
    made.anchored()
    copied(made.bucket, tmp_path)
    demanded = ("verify", tmp_path / ORG, "--key", KEY, "--witness", ALICE.key)

    assert run(*demanded).exit_code == 0
    answer = run(*demanded, "--start", 2)

    assert (answer.exit_code, answer.stdout.splitlines()[0][:6]) == (2, "VALID,")
    assert "0 of the named witnesses have signed; 1 is needed" in answer.stderr
