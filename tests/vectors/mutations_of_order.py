# SPDX-License-Identifier: Apache-2.0
"""Mutations of which objects there are and how they follow each other."""

from __future__ import annotations

from typing import Any

from tests.vectors.catalogue import mutation
from tests.vectors.format_v1 import GENESIS, key_of
from tests.vectors.stored_chain import LAST, Stored, event_of, made_at, relinked

# -- presence -------------------------------------------------------------------------------------------


@mutation("record-missing-middle", ("MISSING", 6))
def _(stored: Stored) -> None:
    """6 is gone."""
    stored.remove(6)


@mutation("records-missing-run", ("MISSING", 4, 6))
def _(stored: Stored) -> None:
    """4, 5 and 6 are gone."""
    stored.remove(4, 5, 6)


@mutation("records-missing-in-two-places", ("MISSING", 3), ("MISSING", 9, 10))
def _(stored: Stored) -> None:
    """3, 9 and 10 are gone."""
    stored.remove(3, 9, 10)


@mutation("first-record-missing", ("MISSING", 1))
def _(stored: Stored) -> None:
    """1 is gone: 2 names a record that nobody has."""
    stored.remove(1)


@mutation("first-day-missing", ("MISSING", 1, 7))
def _(stored: Stored) -> None:
    """The whole first day is gone."""
    stored.remove(*range(1, 8))


@mutation("tail-cut-one", ("TRUNCATED", 12))
def _(stored: Stored) -> None:
    """The last record is gone: what is left is a flawless chain."""
    stored.remove(12)


@mutation("tail-cut-two", ("TRUNCATED", 11, 12))
def _(stored: Stored) -> None:
    """The last two records are gone."""
    stored.remove(11, 12)


@mutation("last-day-missing", ("TRUNCATED", 8, 12))
def _(stored: Stored) -> None:
    """The whole last day is gone."""
    stored.remove(*range(8, 13))


@mutation("everything-missing", ("TRUNCATED", 1, 12))
def _(stored: Stored) -> None:
    """Nothing is left, but the head remembers."""
    stored.remove(*range(1, LAST + 1))


@mutation("middle-and-tail-missing", ("MISSING", 6), ("TRUNCATED", 12))
def _(stored: Stored) -> None:
    """6 and the last record are gone."""
    stored.remove(6, 12)


@mutation("head-promises-more", ("TRUNCATED", 13, 14))
def _(stored: Stored) -> None:
    """The head is at 14; nobody has 13 and 14."""
    stored.head = {"sequence": 14, "tx_hash": "0f" * 32, "timestamp": "2026-03-21T18:00:00.000Z"}


@mutation("one-dropped-and-renumbered", ("TRUNCATED", 12))
def _(stored: Stored) -> Stored:
    """6 is left out, 7 to 12 are renumbered 6 to 11 and linked anew: flawless, and one short of the head."""
    new = stored.chain[:5]
    for sequence, made in enumerate(stored.chain[6:], start=6):
        fields = made.fields
        new.append(made_at(sequence, new[-1].tx_hash, timestamp=fields["timestamp"], event=fields["event"]))
    return Stored(new, head=stored.chain[-1])


@mutation("one-dropped-and-linked-over", ("MISSING", 6), ("CONTENT_MISMATCH", 12))
def _(stored: Stored) -> Stored:
    """6 is left out and 7 names 5: the links hold, the numbering does not, and the end is not the head's."""
    new = stored.chain[:5]
    for made in stored.chain[6:]:
        fields = made.fields
        new.append(made_at(fields["sequence"], new[-1].tx_hash, timestamp=fields["timestamp"], event=fields["event"]))
    return Stored(new, head=stored.chain[-1])


# -- links and time -------------------------------------------------------------------------------------


@mutation("genesis-twice", ("BROKEN_LINK", 5))
def _(stored: Stored) -> Stored:
    """5 says that it is the first; everything after it is linked anew."""
    return Stored(relinked(stored.chain, 5, lambda fields: fields.update(prev_hash=GENESIS)))


@mutation("first-record-has-predecessor", ("BROKEN_LINK", 1))
def _(stored: Stored) -> Stored:
    """1 names a predecessor: a chain that began somewhere else."""
    return Stored(relinked(stored.chain, 1, lambda fields: fields.update(prev_hash="ab" * 32)))


@mutation("prev-hash-in-payload-forged", ("BROKEN_LINK", 6))
def _(stored: Stored) -> Stored:
    """6 names a wrong predecessor, and its payload imitates the end of a record that names the right one.

    Whoever searches the bytes for the first "prev_hash" is taken in.
    """

    def change(fields: dict[str, Any]) -> None:
        imitation = {name: value for name, value in fields.items() if name != "event"}
        fields["event"]["payload"] = imitation
        fields["prev_hash"] = "cd" * 32

    return Stored(relinked(stored.chain, 6, change))


@mutation("time-reversed", ("TIME_REVERSED", 6))
def _(stored: Stored) -> Stored:
    """6 is a second earlier than 5; everything after it is linked anew."""
    six = made_at(6, stored.chain[4].tx_hash, timestamp="2026-03-20T14:22:00.481Z")
    return Stored(relinked(stored.chain, 6, lambda fields: fields.update(six.fields)))


# -- forks and strangers --------------------------------------------------------------------------------


@mutation("fork-same-sequence", ("FORK", 5))
def _(stored: Stored) -> None:
    """A second record 5 of the same day, which sorts after the one that the chain goes on from."""
    event = {**event_of(5), "reason": "another reason"}
    stored.insert(
        made_at(5, stored.chain[3].tx_hash, timestamp="2026-03-20T14:22:01.499Z", event=event, random=2**34 - 1)
    )


@mutation("fork-sorting-first", ("FORK", 5))
def _(stored: Stored) -> None:
    """A second record 5 of the same day, which sorts before the one that the chain goes on from."""
    event = {**event_of(5), "reason": "another reason"}
    stored.insert(made_at(5, stored.chain[3].tx_hash, timestamp="2026-03-20T12:00:00.000Z", event=event, random=0))


@mutation("fork-other-day", ("FORK", 5))
def _(stored: Stored) -> None:
    """A second record 5, dated after the end of the chain."""
    stored.insert(made_at(5, stored.chain[3].tx_hash, timestamp="2026-03-22T00:00:00.000Z"))


@mutation("fork-of-last", ("FORK", 12), ("CONTENT_MISMATCH", 12))
def _(stored: Stored) -> None:
    """A second record 12: the head says which one is meant."""
    stored.insert(made_at(12, stored.chain[10].tx_hash, timestamp="2026-03-21T18:00:00.000Z"))


@mutation("second-genesis-record", ("FORK", 1))
def _(stored: Stored) -> None:
    """A second record 1."""
    stored.insert(made_at(1, GENESIS, timestamp="2026-03-20T09:00:00.000Z", random=2**34 - 1))


@mutation("copy-under-wrong-day-key", ("CONTENT_MISMATCH", 5), ("FORK", 5))
def _(stored: Stored) -> None:
    """A copy of 5 under the key of another day."""
    five = stored.chain[4]
    stored.insert(five, key=key_of(stored.org_id, "2026-03-22", 5, five.audit_id))


@mutation("moved-to-wrong-day-key", ("MISSING", 5), ("CONTENT_MISMATCH", 5), ("FORK", 5))
def _(stored: Stored) -> None:
    """5 moved to the key of another day: it is missing where it belongs and one too many where it is."""
    five = stored.chain[4]
    stored.remove(5)
    stored.insert(five, key=key_of(stored.org_id, "2026-03-22", 5, five.audit_id))


@mutation("stranger-among-records", ("UNKNOWN_FORMAT", None))
def _(stored: Stored) -> None:
    """An object that is no record, between the days."""
    stored.insert(stored.chain[0], key=f"{stored.org_id}/2026/03/20/notes.txt", data=b"nothing to see here\n")


@mutation("key-that-names-no-record", ("UNKNOWN_FORMAT", None))
def _(stored: Stored) -> None:
    """A key of the right shape whose audit_id no clock could have given: the year 10889."""
    no_id = "ffffffff-ffff-8000-8000-001400000000"
    stored.insert(stored.chain[0], key=key_of(stored.org_id, "2026-03-20", 5, no_id))
