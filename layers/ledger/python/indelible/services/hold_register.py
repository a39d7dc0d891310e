# SPDX-License-Identifier: Apache-2.0
"""Which legal holds there are, from the administrative acts in `_admin`'s chain.

S3 keeps one flag for each version, however many holds cover it; only these acts tell the holds apart. Invariant: an act
counts when this ledger's governor key signed its record (`governor_signature`) and the record is under its own S3 key.
So an attacker who can only write to the bucket ends no hold; and an act that is missing, or cannot be read, ends none.
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
    """The record of an act: its place in `_admin`'s chain, when it was made (RFC 3339), by whom and why."""

    audit_id: str
    sequence: int
    at: str
    actor: str
    reason: str

    @property
    def s3_key(self) -> str:
        """The S3 key of the record."""
        return record.key_for(ADMIN_ORG, self.audit_id)


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold on a range of an organisation's chain; a range without an end includes what is recorded later."""

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
        """The S3 key after which all keys in the range sort."""
        from_ms = self.asked.from_ms
        return f"{self.org_id}/" if from_ms is None else record.day_prefix(self.org_id, from_ms)

    @property
    def before(self) -> str:
        """The S3 key before which they sort: the end of a day, or the beginning of the organisation's `_` area."""
        to_ms = self.asked.to_ms
        return f"{self.org_id}/_" if to_ms is None else f"{record.day_prefix(self.org_id, to_ms)}~"

    def covers(self, s3_key: str) -> bool:
        """Whether a key among the records belongs to the range, as far as the key itself says.

        A key that no record has (it is malformed, or its parts disagree) may stand for any record of its day: it
        belongs.
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
    """The payload of the act that holds this range; an open end has no member."""
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
    """Every hold that was ever placed, released ones included."""

    holds: dict[str, Hold] = field(default_factory=dict)
    """By id, in the order of placing."""

    @classmethod
    def read(cls, records: StoredRecords, governor: GovernorKey) -> HoldRegister:
        """Read the whole chain of `_admin`: a listing for every thousand acts, and one GET for each."""
        register = cls()
        for keys, stored in records.read_all(records.versions(ADMIN_ORG, after=f"{ADMIN_ORG}/")):
            if stored is not None and _ANY_HOLD in stored.data:
                register._apply(keys.s3_key, stored, governor)
        return register

    def in_force(self, org_id: str | None = None) -> list[Hold]:
        """The holds that were not released, of one organisation or of all."""
        return [hold for hold in self.holds.values() if hold.released is None and org_id in (None, hold.org_id)]

    def _apply(self, s3_key: str, stored: StoredVersion, governor: GovernorKey) -> None:
        """Apply one act, if it counts."""
        try:
            found = record.read(stored.data)
            if found.s3_key != s3_key or not record.signed_by_governor(found, governor):
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
    """Raises ValueError for a time that is not RFC 3339."""
    from_ms, to_ms = (None if text is None else instants.from_text(text) for text in (asked.from_, asked.to))
    return Range(asked.start_seq, asked.end_seq, from_ms, to_ms)
