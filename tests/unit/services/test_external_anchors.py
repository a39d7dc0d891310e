# SPDX-License-Identifier: Apache-2.0
"""External anchoring: every track gets the newest checkpoint, alone, once; and what is missing is asked for again."""

from __future__ import annotations

import pytest

from indelible.domain import instants
from indelible.errors import EvidenceBroken, Unavailable
from indelible.ports.external import BadAnswer, NoAnswer, OtherTree, Refused
from indelible.services.external_anchors import PATIENCE_MS, RECENT_MS
from tests.fakes.chains import RETENTION
from tests.fakes.external import FakeWitness, Somebody
from tests.fakes.external_world import ExternalWorld

TOKEN, PENDING, SEEN = "rfc3161-tsa.tsr", "ots-alice.pending.ots", "witness-eve.example_w.cosignature"
TRACKS = ["rfc3161-tsa", "ots-alice", "witness-eve.example_w"]


def at(size: int, *names: str) -> list[str]:
    return sorted(f"{size:012d}/{name}" for name in names)


@pytest.fixture
def there() -> ExternalWorld:
    made = ExternalWorld()
    made.grow(3)
    return made


def test_before_there_is_a_log_nobody_is_asked() -> None:
    empty = ExternalWorld()
    assert empty.run().tree_size == 0
    assert (empty.authority.asked, empty.calendar.asked, empty.witness.asked) == ([], [], [])


def test_every_recent_checkpoint_gets_what_can_be_had(there: ExternalWorld) -> None:
    report = there.run()

    assert (report.tree_size, report.cosignatures, report.witnessed) == (3, 1, True)
    assert [(one.track, one.stored, one.failure, one.waiting_ms) for one in report.tracks] == [
        ("rfc3161-tsa", (3, 2, 1), None, 0),
        ("ots-alice", (3, 2, 1), None, 0),
        ("witness-eve.example_w", (3,), None, 0),
    ]
    assert there.stored() == at(1, TOKEN, PENDING) + at(2, TOKEN, PENDING) + at(3, TOKEN, PENDING, SEEN)
    assert there.latest() == (3, {"indelible", "eve.example/w"})


def test_nobody_is_asked_twice_for_the_same(there: ExternalWorld) -> None:
    there.run()
    again = there.run()

    assert [one.stored for one in again.tracks] == [(), (), ()]
    assert (again.cosignatures, again.witnessed) == (1, True)
    assert there.authority.asked == there.calendar.asked == [3, 2, 1]
    assert there.witness.asked == [3]


def test_what_is_stored_is_locked_like_the_ledger(there: ExternalWorld) -> None:
    there.run()
    kept = there.world.clock.now + RETENTION.days * instants.DAY_MS
    for key in there.world.bucket.keys("_ledger/_log/"):
        for version in there.world.bucket.versions(key):
            assert version.lock is not None
            assert (version.lock.mode, version.lock.retain_until_ms >= kept) == ("COMPLIANCE", True), key


@pytest.mark.parametrize("who", ["authority", "calendar", "witness"])
@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (NoAnswer("x"), "NO_ANSWER"),
        (Refused("x"), "REFUSED"),
        (BadAnswer("x"), "BAD_ANSWER"),
        (OtherTree("x"), "OTHER_TREE"),
        (Unavailable("x"), "UNAVAILABLE"),
        (RuntimeError("a fault of ours"), "INTERNAL"),
    ],
)
def test_one_that_fails_is_nobody_else_s_trouble(there: ExternalWorld, who: str, failure: Exception, code: str) -> None:
    somebody: Somebody = getattr(there, who)
    somebody.failure = failure
    there.world.clock.advance(5000)

    report = there.run()

    position = ["authority", "calendar", "witness"].index(who)
    assert [one.failure for one in report.tracks] == [code if n == position else None for n in range(3)]
    assert [bool(one.stored) for one in report.tracks] == [n != position for n in range(3)]
    assert len(somebody.asked) == 1, "who fails is left alone until the next run"
    assert report.tracks[position].waiting_ms >= 5000
    assert report.witnessed is (who != "witness")

    somebody.failure = None
    assert [one.failure for one in there.run().tracks] == [None, None, None]
    assert len(there.stored()) == 7


def test_metrics_say_who_fails_and_how_long_already(there: ExternalWorld) -> None:
    there.authority.failure = NoAnswer("x")
    there.witness.failure = OtherTree("x")
    there.world.clock.advance(7000)
    there.run("sweep")
    counts = there.world.telemetry.counts
    assert (counts["TimestampFailures"], counts["CalendarFailures"], counts["WitnessFailures"]) == (1, 0, 1)
    assert (counts["TimestampWaitSeconds"], counts["CalendarWaitSeconds"], counts["WitnessWaitSeconds"]) == (7, 0, 7)
    assert (counts["WitnessConflicts"], counts["Witnessed"]) == (1, 0)
    assert {fields["track"] for _, fields in there.world.telemetry.notes} == {TRACKS[0], TRACKS[2]}


def test_a_newer_answer_ends_the_waiting_for_older_ones(there: ExternalWorld) -> None:
    """A log only grows: what is said of the newest checkpoint covers those before it."""
    there.authority.failure = NoAnswer("x")
    there.run()
    there.authority.failure = None
    there.world.clock.advance(RECENT_MS + 1)
    there.grow()
    assert there.run().tracks[0].stored == (4,), "older ones are left alone"
    assert there.run().tracks[0].waiting_ms == 0


def test_the_newest_is_brought_forward_however_old_it_is(there: ExternalWorld) -> None:
    there.world.clock.advance(30 * RECENT_MS)
    assert [one.stored for one in there.run().tracks] == [(3,), (3,), (3,)]


def test_time_that_is_up_is_kept_to(there: ExternalWorld) -> None:
    report = there.run(budget_ms=0)
    assert [one.stored for one in report.tracks] == [(3,), (3,), (3,)], "one answer each, the newest first"


def test_another_run_s_answer_counts_when_it_was_first(there: ExternalWorld) -> None:
    first, second = there.external_anchors(), there.external_anchors()
    deadline_ms = there.world.clock.now + 60_000
    stamp = there.authority.stamp

    def meanwhile(data: bytes) -> bytes:
        there.authority.stamp = stamp  # type: ignore[method-assign]
        second.run("news", deadline_ms=deadline_ms)
        return stamp(data)

    there.authority.stamp = meanwhile  # type: ignore[method-assign]
    report = first.run("news", deadline_ms=deadline_ms)

    assert [one.failure for one in report.tracks] == [None, None, None]
    assert there.read(f"anchors/{3:012d}/{TOKEN}") == b"token 1 of 3"
    assert len(there.world.bucket.versions(f"_ledger/_log/anchors/{3:012d}/{TOKEN}")) == 1


# -- witnesses --------------------------------------------------------------------------------------------


def test_a_witness_follows_the_log(there: ExternalWorld) -> None:
    for more in (0, 1, 5, 20):
        there.grow(more)
        there.run(budget_ms=0)
    assert there.witness.cosigned == there.witness.asked == [3, 4, 9, 29], "one request each: it is known what it holds"
    assert there.latest() == (29, {"indelible", "eve.example/w"})


def test_a_witness_that_holds_another_size_is_asked_once_more(there: ExternalWorld) -> None:
    there.run()
    for path in there.stored():
        del there.world.bucket.stacks[f"_ledger/_log/anchors/{path}"]  # as if it had not been stored
    there.grow(2)
    assert there.run().tracks[2].stored == (5,)
    assert there.witness.asked == [3, 5, 5]


def test_a_witness_of_another_history_is_a_conflict(there: ExternalWorld) -> None:
    there.run()
    other = ExternalWorld()
    other.world.clock.advance(1)
    other.grow(5)
    there.witness.seen = other.witness.seen
    other.run()
    there.witness.seen = other.witness.seen
    there.grow(4)
    report = there.run().tracks[2]
    assert report.failure == "OTHER_TREE"
    assert there.world.telemetry.counts["WitnessConflicts"] == 1


def test_a_witness_that_is_ahead_of_the_ledger_is_a_conflict_unless_it_was_published(there: ExternalWorld) -> None:
    other = ExternalWorld()
    other.grow(5)
    other.run()
    there.witness.seen = other.witness.seen
    assert there.run().tracks[2].failure == "OTHER_TREE"


def test_a_newer_checkpoint_that_another_run_brought_forward_is_no_conflict(there: ExternalWorld) -> None:
    cosign = there.witness.cosign

    def meanwhile(*args: object, **named: object) -> object:
        there.witness.cosign = cosign  # type: ignore[method-assign]
        there.grow()
        there.run()
        return cosign(*args, **named)  # type: ignore[arg-type]

    there.witness.cosign = meanwhile  # type: ignore[method-assign, assignment]
    report = there.run()
    assert report.tracks[2].failure is None
    assert there.latest() == (4, {"indelible", "eve.example/w"}), "the latest does not go back"


def test_a_witness_that_keeps_changing_its_mind_is_a_conflict(there: ExternalWorld) -> None:
    there.run()
    there.grow(3)
    sizes = iter([1, 2])

    class Fickle(FakeWitness):
        def cosign(self, *_: object, **__: object) -> object:  # type: ignore[override]
            from indelible.ports.external import OtherSize

            raise OtherSize(next(sizes))

    there.witness.__class__ = Fickle
    assert there.run().tracks[2].failure == "OTHER_TREE"


def test_what_is_no_cosignature_is_not_counted(there: ExternalWorld) -> None:
    there.run()
    there.grow()
    junk = f"_ledger/_log/anchors/{4:012d}/{SEEN}"
    there.world.administrator.insert(junk, b"\xe2\x80\x94 eve.example/w AAAAAAAA\n", None)
    report = there.run()
    assert (report.cosignatures, report.witnessed) == (0, False)
    assert there.latest() == (4, {"indelible"})


def test_without_witnesses_there_is_no_policy(there: ExternalWorld) -> None:
    anchors = there.external_anchors()
    anchors._witnesses, anchors._quorum = [], None
    report = anchors.run("news", deadline_ms=there.world.clock.now)
    assert (report.cosignatures, report.witnessed) == (0, None)
    assert "Witnessed" not in there.world.telemetry.counts


# -- proofs that take their time ---------------------------------------------------------------------------


def test_a_proof_is_completed_by_the_sweep_when_there_is_a_block(there: ExternalWorld) -> None:
    there.run()
    assert there.calendar.upgrades == 0
    assert there.run("sweep").tracks[1].completed == ()
    assert there.calendar.upgrades == 3
    there.world.clock.advance(3_600_000)
    there.run("sweep")
    assert there.world.telemetry.counts["PendingProofSeconds"] == 3600

    there.calendar.height = 912_345
    assert there.run("sweep").tracks[1].completed == (1, 2, 3)
    for size in (1, 2, 3):
        assert there.read(f"anchors/{size:012d}/ots-alice.bitcoin-912345.ots").startswith(b"complete ")
        assert there.read(f"anchors/{size:012d}/{PENDING}").startswith(b"pending "), "what was there stays"
    upgrades = there.calendar.upgrades
    assert there.run("sweep").tracks[1].completed == ()
    assert there.calendar.upgrades == upgrades


def test_a_calendar_is_asked_for_a_week(there: ExternalWorld) -> None:
    there.run()
    there.world.clock.advance(PATIENCE_MS - 1)
    there.calendar.height = 1
    there.grow()
    assert there.run("sweep", budget_ms=0).tracks[1].completed == (1,), "the oldest first, as far as the time goes"
    there.world.clock.advance(2)
    assert there.run("sweep").tracks[1].completed == (4,), "then those of the week before are left alone"


def test_a_ledger_that_does_not_agree_with_itself_is_shown_to_nobody(there: ExternalWorld) -> None:
    there.world.administrator.insert(f"_ledger/_log/checkpoints/{9:012d}", b"junk", None)
    with pytest.raises(EvidenceBroken):
        there.run()
    assert (there.authority.asked, there.calendar.asked, there.witness.asked) == ([], [], [])
