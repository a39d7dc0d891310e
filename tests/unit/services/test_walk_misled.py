# SPDX-License-Identifier: Apache-2.0
"""Keys that somebody put there to make a walk begin late, end early, or take a stranger for a predecessor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from indelible.audit.verify import AuditRequest, audit
from indelible.domain import audit_id, record
from indelible.ports import KeyVersions
from indelible.services.export import Exporter
from indelible.services.ranges import Range
from indelible.services.verify import Verdict
from tests.fakes.audits import KEY, bucket_source
from tests.fakes.chains import GOVERNOR, ORG, RETENTION, event
from tests.fakes.log import LEDGER_NAME
from tests.fakes.unpacked import MemoryScratch
from tests.fakes.world import Wiring, World
from tests.faults.cells import cells
from tests.faults.leftovers import run, world_with_leftovers
from tests.faults.stage import Stage
from tests.faults.wire import Wire

DAY_MS = 86_400_000


def world_of(count: int) -> World:
    """Records a second apart."""
    world = World()
    for number in range(1, count + 1):
        world.record(number)
        world.clock.advance(1_000)
    return world


def codes(verdict: Verdict) -> set[str]:
    return {failure.code.value for failure in verdict.failures}


def junk(world: World, *, day_of_ms: int, sequence: int, time_ms: int) -> None:
    """A key in this day with this sequence, whose audit_id names that sequence and this time."""
    name = f"{sequence:012d}-{audit_id.encode(time_ms, sequence, 1)}.json"
    world.administrator.insert(record.day_prefix(ORG, day_of_ms) + name, b"junk", None)


def rot(world: World, sequence: int) -> None:
    sealed = world.sealed()[sequence - 1]
    world.administrator.rot(sealed.s3_key, sealed.data.replace(b'"number":%d' % sequence, b'"number":0'))


def exporter(world: World, records: Any = None) -> Exporter:
    return Exporter(
        records=records or world.records,
        files=world.files,
        log=world.log(),
        ledger_name=LEDGER_NAME,
        scratch=MemoryScratch(),
        clock=world.clock,
    )


@pytest.mark.parametrize(("sequence", "later_ms"), [(3, 5_000), (5, 5_000), (4, 3 * DAY_MS), (11, 3 * DAY_MS)])
def test_a_key_that_claims_to_lie_beyond_the_asked_time_does_not_end_the_range(sequence: int, later_ms: int) -> None:
    """Of a sequence that was there already, or in a day that is not that of its time."""
    world = world_of(10)
    first, last = world.sealed()[0], world.sealed()[-1]
    rot(world, 7)
    junk(world, day_of_ms=first.timestamp_ms, sequence=sequence, time_ms=last.timestamp_ms + later_ms)
    asked = Range(from_ms=first.timestamp_ms, to_ms=last.timestamp_ms)

    verdict = world.verify(asked)

    assert (verdict.valid, verdict.complete) == (False, True)
    assert {"CONTENT_MISMATCH", "UNKNOWN_FORMAT"} <= codes(verdict)
    assert any(failure.sequence == 7 for failure in verdict.failures)
    exported = exporter(world).bundle(ORG, asked).manifest.exported
    assert any(failure.sequence == 7 for failure in exported.failures)


@pytest.mark.parametrize("how", ["forged", "moved", "only a delete marker"])
@pytest.mark.parametrize("signed", [5, 6, 10])
def test_what_ends_a_range_in_time_is_the_record_that_was_signed_there(how: str, signed: int) -> None:
    """Records 6 to 10 are gone, as in a copy, and what stands for the sixth claims to be from after the asked time."""
    world = World()
    for number in range(1, 11):
        world.record(number)
        world.clock.advance(1_000)
        if number in (signed, 10):
            world.anchored()
    sealed = world.sealed()
    asked = Range(to_ms=sealed[9].timestamp_ms)
    assert world.verify(Range(to_ms=sealed[4].timestamp_ms)).valid
    forged = record.build(
        event(6),
        org_id=ORG,
        head=sealed[4].head,
        now_ms=sealed[9].timestamp_ms + DAY_MS,
        retention=RETENTION,
        governor=GOVERNOR,
        random=6,
    )
    for gone in sealed[5:]:
        world.administrator.remove(gone.s3_key)
    if how == "only a delete marker":
        world.administrator.lay_delete_marker(forged.s3_key)
    else:
        world.administrator.insert(forged.s3_key, (forged if how == "forged" else sealed[5]).data, None)

    verdict = world.verify(asked)

    assert (verdict.valid, verdict.entries_checked) == (False, 5)
    assert [(failure.code.value, failure.sequence) for failure in verdict.failures] == [("CONTENT_MISMATCH", 6)]
    exported = exporter(world).bundle(ORG, asked).manifest.exported
    assert [(failure.code, failure.sequence) for failure in exported.failures] == [("CONTENT_MISMATCH", 6)]
    found = audit(bucket_source(world.bucket), AuditRequest(asked, KEY))
    assert [(failure.code.value, failure.sequence) for failure in found.failures] == [("CONTENT_MISMATCH", 6)]


def test_a_range_in_time_needs_the_leaf_that_was_signed_after_it() -> None:
    """Whoever put a record there can take the bundle of entries away that contradicts it."""
    world = world_of(3)
    world.anchored()
    sealed = world.sealed()
    world.administrator.remove(f"{ORG}/_log/tile/entries/000.p/3")

    verdict = world.verify(Range(to_ms=sealed[1].timestamp_ms))

    assert {(failure.code.value, failure.sequence) for failure in verdict.failures} == {("CHECKPOINT_MISMATCH", 3)}


def test_a_key_that_misleads_the_search_for_an_instant_leaves_no_record_out() -> None:
    world = world_of(60)
    sealed = world.sealed()
    rot(world, 25)
    junk(world, day_of_ms=sealed[0].timestamp_ms, sequence=33, time_ms=sealed[0].timestamp_ms)

    verdict = world.verify(Range(from_ms=sealed[20].timestamp_ms))

    assert any(failure.sequence == 25 for failure in verdict.failures)


def test_a_search_that_was_misled_too_far_is_reported() -> None:
    """Behind so many records nobody goes back; that some may be left out is said."""
    world = world_of(300)
    sealed = world.sealed()
    for sequence in (33, 65, 129, *range(257, 301)):  # where the search will look
        junk(world, day_of_ms=sealed[0].timestamp_ms, sequence=sequence, time_ms=sealed[0].timestamp_ms)

    verdict = world.verify(Range(from_ms=sealed[20].timestamp_ms))

    assert not verdict.valid
    assert "TIME_REVERSED" in codes(verdict)


def test_a_record_of_a_later_day_is_no_predecessor_once_the_range_has_begun() -> None:
    world = world_of(10)
    sealed, later_ms = world.sealed(), world.sealed()[-1].timestamp_ms + DAY_MS
    for sequence, before in ((11, sealed[9].head), (4, sealed[2].head), (5, sealed[3].head)):
        forged = record.build(
            event(600 + sequence),
            org_id=ORG,
            head=before,
            now_ms=later_ms,
            retention=RETENTION,
            governor=GOVERNOR,
            random=3,
        )
        if sequence == 11:
            later_ms += DAY_MS
        world.administrator.insert_record(forged)

    verdict = world.verify(Range(start_seq=2))

    assert ("FORK", 4) in {(failure.code.value, failure.sequence) for failure in verdict.failures}


def test_an_outbox_entry_that_is_no_record_is_reported() -> None:
    world = world_of(2)
    world.administrator.remove(world.sealed()[1].s3_key)
    world.journal.waiting[ORG][2] = b"rubbish"

    assert {"UNKNOWN_FORMAT", "TRUNCATED"} <= codes(world.verify())


def test_a_wrong_head_is_noticed_beside_a_right_checkpoint() -> None:
    """The next record would be built on it, and sealed with a broken link."""
    world = world_of(2)
    world.anchored()
    world.administrator.set_head(ORG, record.Head(2, "ab" * 32, world.sealed()[1].timestamp_ms))

    assert codes(world.verify()) == {"CONTENT_MISMATCH"}


def test_shadows_do_not_hide_a_fork_from_the_anchor(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are let by, and there may be more of them than are listed."""
    monkeypatch.setattr("indelible.domain.findings.MAX_FAILURES", 10)
    world = world_of(12)
    sealed = world.sealed()
    rival = record.build(
        event(666),
        org_id=ORG,
        head=sealed[10].head,
        now_ms=sealed[11].timestamp_ms,
        retention=RETENTION,
        governor=GOVERNOR,
        random=3,
    )
    for entry in sealed:
        world.administrator.lay_delete_marker(entry.s3_key)
    world.administrator.insert_record(rival)

    report = world.anchored()

    assert {"FORK"} <= {failure.code.value for failure in report.broken}
    assert (report.tree_size, world.signer.roots) == (0, {})


class _Late(Wiring):
    """The listing of records ends, and before the walk goes on the ledger records and anchors one more."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._done = False

    def to(self, name: str, port: Any) -> Any:
        return self if name == "records" else port

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world.records, name)

    def versions(self, org_id: str, *, after: str) -> Iterator[KeyVersions]:
        yield from self._world.records.versions(org_id, after=after)
        if not self._done:
            self._done = True
            self._world.record(99)
            self._world.anchored()


@pytest.mark.parametrize("count", range(5, 16))
def test_a_checkpoint_published_after_the_listing_truncates_nothing(count: int) -> None:
    """Whatever page of the checkpoints' listing is fetched when."""
    for asked in (Range(), Range(start_seq=3)):
        world = World()
        for number in range(1, count + 1):
            world.record(number)
            world.anchored()
        assert world.verifier(_Late(world)).verify(ORG, asked, deadline_ms=world.clock.now + 60_000).failures == []
        assert exporter(world, _Late(world)).bundle(ORG, asked).manifest.exported.failures == []


@pytest.mark.parametrize("start", [None, 2, 3, 5])
def test_verification_beside_an_anchor_at_every_step(start: int | None) -> None:
    """Records wait in the outbox, are sealed and anchored, and go from there, whenever the walk looks away."""

    def verified(world: World, wire: Wire) -> Verdict:
        deadline_ms = world.clock.now + 60_000
        return world.verifier(wire).verify(ORG, Range(start_seq=start), deadline_ms=deadline_ms)

    looks, steps = Wire(), Wire()
    verified(world_with_leftovers(), looks)
    run(world_with_leftovers(), steps)
    for look, step in cells(range(len(looks.calls) + 14), range(0, len(steps.calls) + 1, 2)):
        world, stage = world_with_leftovers(), Stage()

        def anchor(world: World = world, stage: Stage = stage) -> object:
            run(world, Wire(gate=stage.gate("anchor")))
            world.record(6, 7)
            return run(world, Wire(gate=stage.gate("anchor")))

        def verify(world: World = world, stage: Stage = stage) -> Verdict:
            return verified(world, Wire(gate=stage.gate("verify")))

        order = [("verify", look), ("anchor", step), ("verify", look + 3)]
        played = stage.play({"verify": verify, "anchor": anchor}, order)

        assert played["verify"].failures == [], f"cell: {look}, {step}"  # type: ignore[attr-defined]
