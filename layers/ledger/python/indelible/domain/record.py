# SPDX-License-Identifier: Apache-2.0
"""The record format `indelible/record@v1`: bytes, key, hash.

Invariants. The object's bytes are the RFC 8785 serialization of the record. `tx_hash` is the SHA-256 of exactly
those bytes: nothing is stripped or re-serialized to check it. Everything a verifier needs follows the payload
in one fixed form, so it is read from the end of the bytes without parsing what the caller sent.
The normative text for other implementations is docs/format.md.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

from indelible.domain import audit_id as audit_ids
from indelible.domain import instants
from indelible.errors import TooLarge

FORMAT = "indelible/record@v1"
GENESIS = "GENESIS"
MAX_RECORD_BYTES = 256 * 1024
MAX_EVENT_BYTES = MAX_RECORD_BYTES - 640
"""Of the canonical event; the other members never need more than the difference."""
MAX_OBJECT_BYTES = 16 << 20
"""Objects up to this size are read completely; of a larger one, which cannot be a record, only the beginning."""
ORG_ID = r"[a-z0-9][a-z0-9-]{1,62}"
ADMIN_ORG = "_admin"
"""The ledger's own organisation, which records administrative acts. It has no keys; no endpoint accepts its name."""

_ORG = rf"{ORG_ID}|{ADMIN_ORG}"

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
_KEY = re.compile(rf"({_ORG})/(\d{{4}}/\d\d/\d\d)/(\d{{12}})-({_UUID})\.json", re.ASCII)
_FRONT = re.compile(rf'\{{"audit_id":"({_UUID})","event":\{{'.encode())
_TAIL = re.compile(
    rf',"format":"([ -!#-\[\]-~]{{1,64}})","governor_key_id":"[a-z0-9-]{{1,32}}","governor_signature":"[0-9a-f]{{64}}"'
    rf',"lock_mode":"(COMPLIANCE|GOVERNANCE)","org_id":"({_ORG})","prev_hash":"(GENESIS|[0-9a-f]{{64}})"'
    rf',"retain_until":"({_INSTANT})","sequence":([1-9]\d{{0,11}}),"timestamp":"({_INSTANT})"\}}\Z'.encode()
)
_HEX_AND_QUOTE = 65
LONGEST_TAIL = 640
"""Bytes after the event, at most; they hold everything that a verifier reads from a record."""


class UnknownFormat(ValueError):
    """The bytes are not a record of a known format."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a chain, which the next one must follow."""

    sequence: int
    tx_hash: str
    timestamp_ms: int


EMPTY_CHAIN = Head(sequence=0, tx_hash=GENESIS, timestamp_ms=0)


@dataclass(frozen=True, slots=True)
class Retention:
    """The promise made for a record: lock mode (COMPLIANCE or GOVERNANCE) and whole days from its timestamp."""

    lock_mode: str
    days: int

    def until_ms(self, from_ms: int) -> int:
        """The end of retention (Unix ms): the first midnight UTC at or after `days` days from `from_ms`."""
        return instants.first_midnight_at_or_after(from_ms + self.days * instants.DAY_MS)


@dataclass(frozen=True, slots=True)
class GovernorKey:
    """The ledger's own HMAC key for an organisation. Its `governor_signature` shows that this ledger made a record."""

    key_id: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One record, sealed or about to be. `data` are its final bytes; all other fields are derived from them."""

    data: bytes
    tx_hash: str
    audit_id: str
    org_id: str
    sequence: int
    prev_hash: str
    timestamp_ms: int
    lock_mode: str
    retain_until_ms: int

    @property
    def s3_key(self) -> str:
        """`{org_id}/{YYYY}/{MM}/{DD}/{sequence:012d}-{audit_id}.json`."""
        return key_for(self.org_id, self.audit_id)

    @property
    def head(self) -> Head:
        """The chain's head when this record is its last."""
        return Head(sequence=self.sequence, tx_hash=self.tx_hash, timestamp_ms=self.timestamp_ms)


@dataclass(frozen=True, slots=True)
class RecordKey:
    """The parts of a record's object key."""

    org_id: str
    day: str
    sequence: int
    audit_id: str

    @property
    def timestamp_ms(self) -> int:
        """The timestamp in the audit_id (Unix milliseconds)."""
        return audit_ids.decode(self.audit_id).timestamp_ms

    @property
    def agrees(self) -> bool:
        """Whether day and sequence equal those in the audit_id, as in every key that the ledger makes."""
        located = audit_ids.decode(self.audit_id)
        return (located.sequence, instants.day(located.timestamp_ms)) == (self.sequence, self.day)


def build(
    event: bytes,
    *,
    org_id: str,
    head: Head,
    now_ms: int,
    retention: Retention,
    governor: GovernorKey,
    random: int,
) -> Record:
    """The record that follows `head`.

    `event` is the canonical serialization of the sanitized event. It is made once, while the other members are
    made again after every lost race. Their values are plain ASCII without characters that JSON escapes, and their
    names are sorted, so joining them *is* the RFC 8785 serialization (a property test compares it with the library).

    Raises TooLarge if the record would exceed `MAX_RECORD_BYTES`.
    """
    sequence = head.sequence + 1
    timestamp_ms = max(now_ms, head.timestamp_ms)
    retain_until_ms = retention.until_ms(timestamp_ms)
    audit_id = audit_ids.encode(timestamp_ms, sequence, random)
    before = b'{"audit_id":"%b","event":%b,"format":"%b","governor_key_id":"%b"' % (
        audit_id.encode(),
        event,
        FORMAT.encode(),
        governor.key_id.encode(),
    )
    after = (
        f',"lock_mode":"{retention.lock_mode}","org_id":"{org_id}","prev_hash":"{head.tx_hash}"'
        f',"retain_until":"{instants.to_text(retain_until_ms)}","sequence":{sequence}'
        f',"timestamp":"{instants.to_text(timestamp_ms)}"}}'
    ).encode()
    # What is signed: the canonical bytes of the record without its signature.
    signature = hmac.new(governor.secret, before + after, hashlib.sha256).hexdigest()
    data = before + b',"governor_signature":"%b"' % signature.encode() + after
    if len(data) > MAX_RECORD_BYTES:
        raise TooLarge(f"a record may have at most {MAX_RECORD_BYTES} bytes, this one has {len(data)}", field="event")
    return Record(
        data=data,
        tx_hash=tx_hash(data),
        audit_id=audit_id,
        org_id=org_id,
        sequence=sequence,
        prev_hash=head.tx_hash,
        timestamp_ms=timestamp_ms,
        lock_mode=retention.lock_mode,
        retain_until_ms=retain_until_ms,
    )


def read(data: bytes) -> Record:
    """Read a record from stored bytes, from both ends, without parsing the event.

    The members are matched at the end of the bytes: a search from the front could find look-alikes in the payload.

    Raises UnknownFormat if the bytes are not a record of a known format.
    """
    front = _FRONT.match(data)
    tail = _TAIL.search(data, max(0, len(data) - LONGEST_TAIL))
    if front is None or tail is None:
        raise UnknownFormat("the bytes do not have the shape of a record")
    found_format, lock_mode, org_id, prev_hash, retain_until, sequence, timestamp = (
        group.decode() for group in tail.groups()
    )
    if found_format != FORMAT:
        raise UnknownFormat(f"format {found_format!r} is not known to this version")
    try:
        timestamp_ms, retain_until_ms = instants.from_text(timestamp), instants.from_text(retain_until)
    except ValueError:
        raise UnknownFormat("timestamp or retain_until is no instant") from None
    return Record(
        data=data,
        tx_hash=tx_hash(data),
        audit_id=front.group(1).decode(),
        org_id=org_id,
        sequence=int(sequence),
        prev_hash=prev_hash,
        timestamp_ms=timestamp_ms,
        lock_mode=lock_mode,
        retain_until_ms=retain_until_ms,
    )


def signed_by_governor(found: Record, governor: GovernorKey) -> bool:
    """Whether `governor_signature` was made with this key, which follows from the master secret (docs/adr/0006)."""
    # The tail contains this name once, and nothing that a caller sent.
    before, _, rest = found.data.rpartition(b',"governor_signature":"')
    expected = hmac.new(governor.secret, before + rest[_HEX_AND_QUOTE:], hashlib.sha256).hexdigest()
    return hmac.compare_digest(rest[: _HEX_AND_QUOTE - 1], expected.encode())


def tx_hash(data: bytes) -> str:
    """Lower-case hex SHA-256 of the object's bytes (`sha256sum FILE`)."""
    return hashlib.sha256(data).hexdigest()


def key_for(org_id: str, audit_id: str) -> str:
    """The S3 key of a record, from its id alone. Raises ValueError if `audit_id` is not one."""
    location = audit_ids.decode(audit_id)
    return f"{day_prefix(org_id, location.timestamp_ms)}{location.sequence:012d}-{audit_id}.json"


def parse_key(key: str) -> RecordKey | None:
    """The parts of a record's key; None for any other key."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    org_id, day, sequence, audit_id = found.groups()
    day = day.replace("/", "-")
    try:
        audit_ids.decode(audit_id)
        instants.from_text(f"{day}T00:00:00Z")
    except ValueError:
        return None
    return RecordKey(org_id=org_id, day=day, sequence=int(sequence), audit_id=audit_id)


def is_owner(name: str) -> bool:
    """Whether records can belong to an organisation of this name: `ORG_ID`, or the ledger's own."""
    return re.fullmatch(_ORG, name, re.ASCII) is not None


def day_prefix(org_id: str, timestamp_ms: int) -> str:
    """`{org_id}/{YYYY}/{MM}/{DD}/`."""
    return f"{org_id}/{instants.day(timestamp_ms).replace('-', '/')}/"


def key_after(org_id: str, head: Head) -> str:
    """A key that sorts after the head's record and before every later one."""
    if head.sequence == 0:
        return f"{org_id}/"
    return f"{day_prefix(org_id, head.timestamp_ms)}{head.sequence:012d}-~"
