# SPDX-License-Identifier: Apache-2.0
"""A receipt is kept to every member, not to its hash alone: read fast or singly, from every kind of source."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from indelible.audit.receipts import read_receipts
from indelible.audit.source import NotEvidence, Source
from indelible.audit.verify import AuditRequest, audit
from indelible.domain import audit_id, record
from indelible.domain.receipt import Receipt
from tests.fakes.audits import KEY, bucket_source, bundle_source, directory_source
from tests.fakes.chains import ORG
from tests.fakes.world import World

SEQUENCE = 3


@pytest.fixture(scope="module")
def world() -> World:
    made = World()
    made.record(*range(1, 8))
    made.anchored()
    return made


@pytest.fixture(scope="module")
def sources(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Source]:
    place = tmp_path_factory.mktemp("sources")
    return {
        "bucket": bucket_source(world.bucket),
        "directory": directory_source(world.bucket, place / "copy"),
        "bundle": bundle_source(world.bucket, place / "evidence.zip"),
    }


def kept(world: World) -> dict[str, str | int]:
    entry = world.sealed()[SEQUENCE - 1]
    stored = world.records.oldest(entry.s3_key)
    assert stored is not None
    return dict(msgspec.to_builtins(Receipt.of(entry, stored.version_id)))


def elsewhere(world: World) -> dict[str, str]:
    """Another id of the same record, and the key that belongs to it: nothing lies there."""
    entry = world.sealed()[SEQUENCE - 1]
    other = audit_id.encode(entry.timestamp_ms, SEQUENCE, 12345)
    return {"audit_id": other, "s3_key": record.key_for(ORG, other)}


def held(path: Path, *receipts: dict[str, str | int]) -> AuditRequest:
    path.write_text("\n".join(map(json.dumps, receipts)))
    return AuditRequest(key=KEY, receipts=read_receipts([path], ORG))


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("kind", ["bucket", "directory", "bundle"])
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("retention_until", "2099-01-01T00:00:00.000Z"),
        ("retention_until", "for ever"),
        ("s3_lock_mode", "GOVERNANCE"),
        ("timestamp", "2020-01-01T00:00:00.000Z"),
        ("prev_hash", "ab" * 32),
        ("s3_version_id", "another"),
        ("audit_id", None),
    ],
)
def test_a_changed_member_is_named(
    world: World, sources: dict[str, Source], tmp_path: Path, kind: str, fast: bool, member: str, value: str | None
) -> None:
    genuine = kept(world)
    changed = {**genuine, **(elsewhere(world) if value is None else {member: value})}

    verdict = audit(sources[kind], replace(held(tmp_path / "r.json", genuine, changed), fast=fast))

    if (member, kind) == ("s3_version_id", "directory"):
        assert verdict.valid  # a copy shows no versions
        return
    failures = {one.detail.partition(" has another ")[2].split()[0]: one for one in verdict.failures}
    assert set(failures) == ({"audit_id", "s3_key"} if value is None else {member})
    found = failures[member]
    assert (found.code, found.sequence) == ("CONTENT_MISMATCH", SEQUENCE)
    assert (found.expected, found.found) == (changed[member], genuine[member])
    assert "r.json" in found.detail


@pytest.mark.parametrize("kind", ["bucket", "directory", "bundle"])
def test_an_instant_may_be_written_otherwise(
    world: World, sources: dict[str, Source], tmp_path: Path, kind: str
) -> None:
    genuine = kept(world)
    other = {**genuine, "retention_until": str(genuine["retention_until"]).replace(".000Z", "Z")}

    verdict = audit(sources[kind], held(tmp_path / "r.json", genuine, other))

    assert verdict.valid
    assert verdict.receipts == 2


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: text.replace(f'"sequence": {SEQUENCE}', r'"sequence": "\ud800"'),
        lambda text: '{"receipt":' * 5000 + text + "}" * 5000,
        lambda text: "[" * 5000 + text + "]" * 5000,
    ],
)
def test_a_file_that_nobody_can_read_is_said_to_be_none(
    world: World, tmp_path: Path, changed: Callable[[str], str]
) -> None:
    (tmp_path / "r.json").write_text(changed(json.dumps(kept(world))))

    with pytest.raises(NotEvidence, match=r"r\.json"):
        read_receipts([tmp_path / "r.json"], ORG)
