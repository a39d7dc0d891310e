# SPDX-License-Identifier: Apache-2.0
"""After a rotation one pinned key suffices if the source has the key statements; without them nothing is accused."""

from __future__ import annotations

import json
import os
import shutil
import tracemalloc
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indelible.cli.main import cli
from indelible.domain import note
from tests.fakes.audits import copied, exported
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME
from tests.fakes.world import World


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture
def world() -> World:
    """Checkpoints 2 and 4 by one key, 6 by the next."""
    made = World()
    for first in (1, 3):
        made.record(first, first + 1)
        made.anchored()
    made.clock.advance(1_000)
    made.rotate()
    made.record(5, 6)
    made.anchored()
    return made


@pytest.fixture
def keys(world: World) -> list[str]:
    return [note.verifier_key(LEDGER_NAME, signer.public_key()) for signer in world.signers]


@pytest.fixture
def copy(world: World, tmp_path: Path) -> Path:
    return copied(world.bucket, tmp_path / "copy")


@pytest.mark.parametrize("generation", [0, 1])
def test_either_key_is_enough_where_the_statements_are(keys: list[str], copy: Path, generation: int) -> None:
    for command in (("verify", copy / ORG), ("checkpoint", copy / ORG), ("checkpoint", copy / ORG, "--record", 1)):
        answer = run(*command, "--key", keys[generation])
        assert answer.exit_code == 0, (command, answer.output)


@pytest.mark.parametrize("generation", [0, 1])
def test_a_copy_without_the_statements_accuses_nobody(keys: list[str], copy: Path, generation: int) -> None:
    """As after `aws s3 sync s3://bucket/org copy` alone, without the ledger's log."""
    shutil.rmtree(copy / "_ledger")

    for command in (("verify", copy / ORG), ("export", copy / ORG, "-o", copy / "evidence.zip")):
        answer = run(*command, "--key", keys[generation])
        assert answer.exit_code == 2, answer.output
        assert "_ledger/_log" in answer.stderr
    assert not (copy / "evidence.zip").exists()


def test_a_copy_without_the_statements_needs_none_before_a_rotation(copy: Path, keys: list[str]) -> None:
    shutil.rmtree(copy / "_ledger")
    for name in ("checkpoints/000000000006", "checkpoint"):
        (copy / ORG / "_log" / name).unlink()

    answer = run("verify", copy / ORG, "--key", keys[0], "--end", 4, "--json")

    assert answer.exit_code == 0
    (said,) = [clause for clause in json.loads(answer.stdout)["unchecked"] if "had replaced the one given" in clause]
    assert "none of the ledger's key statements" in said


def test_that_a_copy_and_a_bundle_can_lack_later_statements_is_said(
    world: World, copy: Path, keys: list[str], tmp_path: Path
) -> None:
    """With the second statement left out, the first key signs for records from after its end."""
    bundle = tmp_path / "evidence.zip"
    bundle.write_bytes(exported(world.bucket))
    for source in (copy / ORG, bundle):
        said = json.loads(run("verify", source, "--key", keys[0], "--json").stdout)["unchecked"]
        assert any("can lack its successor's statement" in clause for clause in said)


def test_statements_beyond_all_measure_are_not_read(copy: Path, keys: list[str]) -> None:
    """Nine thousand sparse files, which take no space on disk and would fill the memory."""
    for generation in range(3, 1000):
        path = copy / f"_ledger/_log/keys/{generation:04d}"
        path.touch()
        os.truncate(path, 1 << 20)
    tracemalloc.start()
    try:
        answer = run("verify", copy / ORG, "--key", keys[1])
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert "the statements do not lead to them (a key statement has at most 16,384 bytes)" in answer.stdout


def test_a_key_of_nobody_is_not_signed_by_way_of_statements(world: World, tmp_path: Path) -> None:
    path = tmp_path / "evidence.zip"
    path.write_bytes(exported(world.bucket))
    stranger = note.verifier_key(LEDGER_NAME, b"\x09" * 32)

    answer = run("checkpoint", path, "--key", stranger, "--json")

    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["signed"] is False
