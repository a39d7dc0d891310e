# SPDX-License-Identifier: Apache-2.0
"""Legal holds: what is held outlives its retention, with what proves it; and no hold ends another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.domain import record
from indelible.domain.record import ADMIN_ORG
from indelible.errors import InvalidField, NotFound, Unavailable
from indelible.services import holds
from indelible.services.hold_register import Hold
from indelible.services.holds import MOST_REASON, HoldReport
from indelible.services.ranges import Range
from tests.fakes.chains import ORG, build_chain
from tests.fakes.holds import FakeLegalHolds
from tests.unit.services.counsel import ACTOR, DAY_MS, WHY, Office

OTHER = "globex"


@pytest.fixture
def office() -> Office:
    return Office()


def test_what_is_held_outlives_its_retention_with_all_that_proves_it(office: Office) -> None:
    before = office.bundle(5, 8)
    done = office.place(5, 8)
    assert (done.first, done.last, done.covered_by, done.changed) == (5, 8, 10, done.versions)
    assert office.held() == [4, 5, 6, 7, 8], "the record before the range is what its first one follows"

    office.clear_out()

    assert [one.sequence for one in office.world.sealed()] == [4, 5, 6, 7, 8]
    assert office.bundle(5, 8) == before
    assert [act["action"] for act in office.acts()] == ["hold.place"], "what says that there is a hold is kept by it"


def test_what_was_let_go_can_be_deleted_to_the_last_file(office: Office) -> None:
    office.release(office.place(5, 8))
    assert office.world.bucket.held == set()
    office.clear_out()
    assert office.world.bucket.stacks == {}


def test_each_act_is_on_record_with_its_reason_before_it_is_done(office: Office) -> None:
    office.flags.fails_after = 0
    with pytest.raises(Unavailable):
        office.place(5, 8)
    office.flags.fails_after = None
    done = office.place(5, 8)
    office.flags.fails_after = office.flags.switched.total()
    with pytest.raises(Unavailable):
        office.release(done)
    place, release = office.acts()
    assert (place["action"], place["target"], place["actor"], place["reason"]) == ("hold.place", ORG, ACTOR, WHY)
    assert place["payload"] == {"start_seq": 5, "end_seq": 8}
    assert (release["action"], release["reason"]) == ("hold.release", "settled")
    assert release["payload"] == {"hold_id": done.hold.hold_id}


def test_repeating_does_what_is_left_to_do(office: Office) -> None:
    office.flags.fails_after = 3
    with pytest.raises(Unavailable):
        office.place(2, 9)
    office.flags.fails_after = None
    done = office.place(2, 9)
    assert done.changed == done.versions - 3
    again = office.place(2, 9)
    assert (again.changed, again.versions, again.hold) == (0, done.versions, done.hold)
    office.flags.fails_after = office.flags.switched.total() + 3
    with pytest.raises(Unavailable):
        office.release(done)
    office.flags.fails_after = None
    assert office.release(done).changed == done.versions - 3
    assert office.release(done).changed == 0
    assert len(office.acts()) == 2


def test_progress_is_told(office: Office) -> None:
    assert sum(office.told) == 0
    assert office.place().versions == sum(office.told)


def test_another_hold_keeps_what_it_covers(office: Office) -> None:
    wide, narrow = office.place(3, 9), office.place(6, 7, why="the regulator asked")
    done = office.release(wide)
    assert done.kept == 3, "with the record before the narrower range"
    assert set(office.held()) >= {5, 6, 7}
    before = office.bundle(6, 7)
    office.clear_out()
    assert office.bundle(6, 7) == before
    office.release(narrow)
    assert office.world.bucket.held == set(), "the files that both needed went with the last one"


def test_the_same_range_for_two_reasons_is_two_holds(office: Office) -> None:
    one, two = office.place(5, 8), office.place(5, 8, why="another matter")
    assert one.hold.hold_id != two.hold.hold_id
    office.release(one)
    assert office.held() == [4, 5, 6, 7, 8]
    office.release(two)
    assert office.held() == []


def test_files_of_the_ledgers_log_stay_for_other_organisations(office: Office) -> None:
    office.world.record(1, 2, org_id=OTHER)
    office.world.anchored(org_id=OTHER)
    office.world.logged()
    mine, theirs = office.place(1, 10), office.place(org_id=OTHER)
    before = office.bundle(1, 2, OTHER)
    office.release(mine)
    assert office.held() == []
    office.clear_out()
    assert office.bundle(1, 2, OTHER) == before
    office.release(theirs)
    assert office.world.bucket.held == set()


def test_an_open_range_takes_in_what_came_since_when_it_is_repeated(office: Office) -> None:
    done = office.place(11)
    assert (done.last, done.covered_by) == (12, None)
    office.world.record(13)
    office.anchored()
    again = office.place(11)
    assert (again.hold, again.last, again.covered_by) == (done.hold, 13, 13)
    before = office.bundle(11, 13)
    office.clear_out()
    assert office.bundle(11, 13) == before


def test_a_range_by_time(office: Office) -> None:
    times = [one.timestamp_ms for one in office.world.sealed()]
    asked = Range(from_ms=times[3], to_ms=times[6])
    done = office.holds().place(ORG, asked, WHY, progress=office.told.append)
    assert (done.first, done.last) == (4, 7)
    (found,) = office.holds().history(ORG)
    assert (found, found.asked) == (done.hold, asked)


def test_broken_evidence_is_held_as_it_is(office: Office) -> None:
    world = office.world
    shadowed, hidden, gone = (world.administrator.key_of(ORG, number) for number in (5, 6, 7))
    world.administrator.lay_newer_version(shadowed, b"newer")
    world.administrator.lay_delete_marker(hidden)
    world.administrator.remove(gone)
    (fork,) = build_chain(1, head=world.sealed()[4].head, start_ms=world.sealed()[4].timestamp_ms, seed=9)
    world.administrator.insert_record(fork)
    stranger = f"{shadowed.rpartition('/')[0]}/notes.txt"
    world.administrator.insert(stranger, b"hello", None)
    office.place(5, 8)
    held = {key for key, _ in world.bucket.held}
    assert {shadowed, hidden, fork.s3_key, stranger} <= held
    assert sum(key == shadowed for key, _ in world.bucket.held) == 2
    office.clear_out()
    assert {shadowed, hidden, fork.s3_key, stranger} <= set(world.bucket.stacks)


def test_a_key_that_claims_another_place_leads_nothing_astray(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for where a range begins nor for where it ends: every key of its days is looked at."""
    early = build_chain(1, head=record.Head(90, "0" * 64, 0), start_ms=office.world.sealed()[0].timestamp_ms - DAY_MS)[
        0
    ]
    late = build_chain(1, head=record.Head(5, "0" * 64, 0), start_ms=office.world.clock.now + DAY_MS)[0]
    for forged in (early, late):
        office.world.administrator.insert_record(forged)
    monkeypatch.setattr(holds, "_AT_ONCE", 2)
    assert office.place(6, 7).last == 7
    assert office.held() == [5, 6, 7]
    assert late.s3_key in {key for key, _ in office.world.bucket.held}, "it claims to be record 6"


def test_only_an_act_that_the_ledger_let_in_ends_a_hold(office: Office) -> None:
    done = office.place(5, 8)
    (other,) = (office.place(1, 2, why="other").hold,)
    office.release(HoldReport(other))
    forged = office.world.sealed(ADMIN_ORG)[-1]
    data = forged.data.replace(other.hold_id.encode(), done.hold.hold_id.encode())
    office.world.administrator.rewrite(forged.s3_key, data)
    copied = office.world.sealed(ADMIN_ORG)[0]
    key = record.key_for(ADMIN_ORG, replace(copied).audit_id[:-1] + "0")
    office.world.administrator.insert(key, copied.data, None)
    placed = {one.hold_id: one for one in office.holds().history(ORG)}
    assert set(placed) == {done.hold.hold_id, other.hold_id}
    assert [one.released for one in placed.values()] == [None, None]


def test_a_copy_of_an_act_does_not_revive_a_hold(office: Office) -> None:
    done = office.place(5, 8)
    office.release(done)
    place, release = office.world.sealed(ADMIN_ORG)
    assert release.audit_id > place.audit_id
    later = record.key_for(ADMIN_ORG, build_chain(1, org_id=ADMIN_ORG, head=release.head)[0].audit_id)
    office.world.administrator.insert(later, place.data, None)
    assert [one.released is None for one in office.holds().history(ORG)] == [False]


def test_of_two_who_release_at_once_the_first_did(office: Office) -> None:
    done = office.place(5, 8)
    for reason in ("first", "second"):
        office.admin_log().write("hold.release", ORG, {"hold_id": done.hold.hold_id}, reason=reason)
    (found,) = office.holds().history(ORG)
    assert found.released is not None
    assert found.released.reason == "first"
    assert office.release(done).changed == done.versions


def test_a_release_leaves_the_others_with_what_proves_them_now(office: Office) -> None:
    wide, narrow = office.place(), office.place(11, 12, why="the regulator asked")
    office.anchored()
    office.release(wide)
    before = office.bundle(11, 12)
    office.clear_out()
    assert office.bundle(11, 12) == before
    assert narrow.covered_by is None


def test_whoever_places_meanwhile_keeps_what_the_release_let_go(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = office.place(5, 8)
    switch = FakeLegalHolds.switch
    late: list[Hold] = []

    def at_the_same_time(flags: FakeLegalHolds, key: str, version_id: str, *, on: bool) -> None:
        if not late:
            late.append(wide.hold)  # once
            late.append(office.place(6, 7, why="meanwhile").hold)
        switch(flags, key, version_id, on=on)

    monkeypatch.setattr(FakeLegalHolds, "switch", at_the_same_time)
    office.release(wide)
    assert office.held() == [5, 6, 7]


@pytest.mark.parametrize("start", [13, 10**11])
def test_nothing_there_to_hold(office: Office, start: int) -> None:
    with pytest.raises(NotFound):
        office.place(start)
    with pytest.raises(NotFound):
        office.place(org_id="nobody")
    assert office.acts() == []


def test_a_hold_of_another_organisation_is_not_there(office: Office) -> None:
    done = office.place(5, 8)
    for org_id, hold_id in ((OTHER, done.hold.hold_id), (ORG, "0" * 36)):
        with pytest.raises(NotFound):
            office.holds().release(org_id, hold_id, "why", progress=office.told.append)
    assert len(office.acts()) == 1


@pytest.mark.parametrize("reason", ["", "  \n", "x" * (MOST_REASON + 1)])
def test_a_reason_is_required(office: Office, reason: str) -> None:
    done = office.place(5, 8)
    for act in (lambda: office.place(1, 2, why=reason), lambda: office.release(done, why=reason)):
        with pytest.raises(InvalidField) as refused:
            act()
        assert refused.value.field == "reason"


def test_administrative_acts_can_be_held_too(office: Office) -> None:
    done = office.place(5, 8)
    acts = office.place(1, 1, org_id=ADMIN_ORG)
    office.release(done)
    assert office.held(ADMIN_ORG) == [1, 2]
    office.release(acts)
    assert office.world.bucket.held == set()
