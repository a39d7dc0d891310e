# SPDX-License-Identifier: Apache-2.0
"""Every proof for the ledger's own log is checked: each kind of source gives the same verdict on a mutation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from indelible.audit.source import Source
from indelible.audit.verify import AuditRequest, audit
from indelible.domain.findings import FailureCode
from indelible.domain.ledger import ledger_proof_path
from indelible.services.log import checkpoint_path
from indelible.services.ranges import Range
from tests.fakes.audits import KEY, bucket_source, bundle_source, directory_source
from tests.fakes.bucket import Bucket
from tests.fakes.chains import ORG
from tests.fakes.world import World

SIZES = (2, 4, 6)
SOURCES: dict[str, Callable[[Bucket, Path], Source]] = {
    "bucket": lambda bucket, _: bucket_source(bucket),
    "directory": directory_source,
    "bundle": lambda bucket, path: bundle_source(bucket, path / "evidence.zip"),
}


def grown() -> World:
    """Checkpoints of SIZES, each taken up by the ledger's own log in a round of its own."""
    world = World()
    for size in SIZES:
        world.record(size - 1, size)
        world.anchored()
        world.logged()
    return world


def rewrite(world: World, size: int, change: Callable[[bytes], bytes]) -> None:
    key = f"{ORG}/_log/{ledger_proof_path(size)}"
    world.administrator.rewrite(key, change(world.bucket.versions(key)[0].data))


def another_leaf(data: bytes) -> bytes:
    index = int(data.split(b"\n")[1].removeprefix(b"index "))
    return data.replace(b"index %d\n" % index, b"index %d\n" % (index ^ 1))


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "another leaf": another_leaf,
    "rubbish": lambda _: b"rubbish",
    "another log": lambda data: data.replace(b"\nindelible\n", b"\nevil\n"),
}


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "slow"])
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_proof_that_does_not_hold(change: str, size: int, source: str, fast: bool, tmp_path: Path) -> None:
    world = grown()
    rewrite(world, size, CHANGES[change])

    verdict = audit(SOURCES[source](world.bucket, tmp_path), AuditRequest(key=KEY, fast=fast))

    assert [(one.code, one.sequence) for one in verdict.failures] == [(FailureCode.CHECKPOINT_MISMATCH, size)]
    assert verdict.failures_total == 1
    vouched = [one.covers for one in verdict.anchors if one.kind == "ledger log"]
    assert vouched == [4 if size == 6 else 6], "the newest that holds"


@pytest.mark.parametrize("source", SOURCES)
def test_one_that_is_not_there_is_no_failure(source: str, tmp_path: Path) -> None:
    world = grown()
    for size in (4, 6):
        world.administrator.remove(f"{ORG}/_log/{ledger_proof_path(size)}")

    verdict = audit(SOURCES[source](world.bucket, tmp_path), AuditRequest(key=KEY))

    assert verdict.valid
    assert [one.covers for one in verdict.anchors] == [2]


def test_of_a_part_those_before_it_are_looked_at_only_for_want_of_others(tmp_path: Path) -> None:
    world = grown()
    rewrite(world, 2, CHANGES["rubbish"])
    source, asked = directory_source(world.bucket, tmp_path), AuditRequest(within=Range(start_seq=5), key=KEY)

    assert audit(source, asked).valid
    (tmp_path / ORG / "_log" / ledger_proof_path(6)).unlink()
    assert [one.covers for one in audit(source, asked).anchors] == [4]
    (tmp_path / ORG / "_log" / ledger_proof_path(4)).unlink()
    assert [one.sequence for one in audit(source, asked).failures] == [2]


@pytest.mark.parametrize("size", [2, 9])
def test_another_organisation_s_checkpoint_vouches_for_nothing_before_a_part(tmp_path: Path, size: int) -> None:
    """It is a leaf of the ledger's log, too, and nothing of the range says that it does not belong there."""
    world = grown()
    world.record(*range(1, size + 1), org_id="evil-corp")
    world.anchored(org_id="evil-corp")
    world.logged()
    source, log = directory_source(world.bucket, tmp_path), tmp_path / ORG / "_log"
    for path in (checkpoint_path, ledger_proof_path):
        (log / path(2)).write_bytes((tmp_path / "evil-corp/_log" / path(size)).read_bytes())
    for gone in (4, 6):
        (log / ledger_proof_path(gone)).unlink()

    verdict = audit(source, AuditRequest(within=Range(start_seq=5), key=KEY))

    assert verdict.anchors == []
    assert [(one.code, one.sequence) for one in verdict.failures] == [(FailureCode.CHECKPOINT_MISMATCH, 2)]
    assert "another log's" in verdict.failures[0].detail
