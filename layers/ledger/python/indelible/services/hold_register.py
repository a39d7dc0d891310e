# SPDX-License-Identifier: Apache-2.0
"""Which legal holds there are, from the administrative acts in `_admin`'s chain.

S3 keeps one flag for each version, however many matters want it held; only these acts tell them apart. Invariant: an
act counts when this ledger's own key let it in (`governor_signature`) and it lies under its own key. So nobody who can
merely write to the bucket ends a hold; and an act that is gone, or cannot be read, ends none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import msgspec

from indelible.domain import instants, record
from indelible.domain.canonical import JsonObject
from indelible.domain.record import ADMIN_ORG, GovernorKey, Record, UnknownFormat
from indelible.ports import StoredRecords, StoredVersion
from indelible.services.ranges import Range

PLACE, RELEASE = "hold.place", "hold.release"
_ANY_HOLD = b'"action":"hold.'


@dataclass(frozen=True, slots=True)
class Act:
    """The record of an act: its place in `_admin`'s chain, when (RFC 3339), by whom and why."""

    audit_id: str
    sequence: int
    at: str
    actor: str
    reason: str

    @property
    def s3_key(self) -> str:
        """Where the record lies."""
        return record.key_for(ADMIN_ORG, self.audit_id)


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold on a range of an organisation's chain; an open end takes in whatever is recorded later."""

    org_id: str
    asked: Range
    placed: Act
    released: Act | None = None

    @property
    def hold_id(self) -> str:
        """The `audit_id` of the act that placed it."""
        return self.placed.audit_id

    @property
    def after(self) -> str:
        """All its record keys sort after this."""
        from_ms = self.asked.from_ms
        return f"{self.org_id}/" if from_ms is None else record.day_prefix(self.org_id, from_ms)

    @property
    def before(self) -> str:
        """All its record keys sort before this: the end of a day, or where the organisation's `_` area begins."""
        to_ms = self.asked.to_ms
        return f"{self.org_id}/_" if to_ms is None else f"{record.day_prefix(self.org_id, to_ms)}~"

    def covers(self, s3_key: str) -> bool:
        """Whether a key among the records belongs to the range, as the key itself says.

        A key that no record has (it is malformed, or disagrees with itself) could be meant for any place in its day:
        it belongs.
        """
        if not self.after < s3_key < self.before:
            return False
        found = record.parse_key(s3_key)
        if found is None or not found.agrees:
            return True
        asked = self.asked
        return (
            (asked.start_seq is None or found.sequence >= asked.start_seq)
            and (asked.end_seq is None or found.sequence <= asked.end_seq)
            and (asked.from_ms is None or found.timestamp_ms >= asked.from_ms)
            and (asked.to_ms is None or found.timestamp_ms <= asked.to_ms)
        )


class _Asked(msgspec.Struct):
    start_seq: int | None = None
    end_seq: int | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None


class _Named(msgspec.Struct):
    hold_id: str


class _Place(msgspec.Struct, tag_field="action", tag=PLACE):
    actor: str
    target: str
    reason: str
    payload: _Asked


class _Release(msgspec.Struct, tag_field="action", tag=RELEASE):
    actor: str
    target: str
    reason: str
    payload: _Named


class _Written(msgspec.Struct):
    event: _Place | _Release


_DECODER = msgspec.json.Decoder(_Written)


def payload_of(asked: Range) -> JsonObject:
    """A range as the act has it; what is open is left out."""
    from_, to = (None if ms is None else instants.to_text(ms) for ms in (asked.from_ms, asked.to_ms))
    said: dict[str, int | str | None] = {
        "start_seq": asked.start_seq,
        "end_seq": asked.end_seq,
        "from": from_,
        "to": to,
    }
    return {name: value for name, value in said.items() if value is not None}


@dataclass(slots=True)
class HoldRegister:
    """Every hold that was ever placed, by its id, in the order of placing."""

    holds: dict[str, Hold] = field(default_factory=dict)

    @classmethod
    def read(cls, records: StoredRecords, governor: GovernorKey) -> HoldRegister:
        """From `_admin`'s chain, all of which is read: a few listings, and a GET for each act."""
        register = cls()
        for keys, stored in records.read_all(records.versions(ADMIN_ORG, after=f"{ADMIN_ORG}/")):
            if stored is not None and _ANY_HOLD in stored.data:
                register._take(keys.s3_key, stored, governor)
        return register

    def in_force(self, org_id: str | None = None) -> list[Hold]:
        """Those that were not released, of one organisation or of all."""
        return [hold for hold in self.holds.values() if hold.released is None and org_id in (None, hold.org_id)]

    def _take(self, s3_key: str, stored: StoredVersion, governor: GovernorKey) -> None:
        try:
            found = record.read(stored.data)
            if found.s3_key != s3_key or not record.let_in_by(found, governor):
                return
            event = _DECODER.decode(stored.data).event
            asked = _range(event.payload) if isinstance(event, _Place) else None
        except (UnknownFormat, ValueError, RecursionError):
            return
        act = _act(found, event)
        if asked is not None:
            self.holds[act.audit_id] = Hold(event.target, asked, act)
        elif isinstance(event, _Release) and (hold := self.holds.get(event.payload.hold_id)) is not None:
            self.holds[hold.hold_id] = replace(hold, released=hold.released or act)


def _act(found: Record, event: _Place | _Release) -> Act:
    at = instants.to_text(found.timestamp_ms)
    return Act(found.audit_id, found.sequence, at, event.actor, event.reason)


def _range(asked: _Asked) -> Range:
    """Raises ValueError for instants that are none."""
    from_ms, to_ms = (None if text is None else instants.from_text(text) for text in (asked.from_, asked.to))
    return Range(asked.start_seq, asked.end_seq, from_ms, to_ms)
