# SPDX-License-Identifier: Apache-2.0
"""The fast reading of records that follow each other: everything that `ChainChecker` checks of them, or nothing at all.

Invariant: `read` gives an answer only where the slow reading would have found no fault in any of the records. At the
first byte that is not exactly as expected it gives up without a word.

An honest record ends in bytes that are known before it is read, but for a signature: its link and its sequence follow
from the record before, its time from its own audit_id. So one comparison takes the place of a parser. What cannot be
foreseen (the minute turned, another lock, another key) is read in the ordinary way, and expected from then on.
"""

from __future__ import annotations

import hashlib
from binascii import hexlify
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from indelible.domain import instants, record
from indelible.domain.findings import Lock
from indelible.domain.record import GENESIS

_MINUTE_MS = 60_000
_SIGNATURE = 64
_HEX = b"0123456789abcdef"
_QUARTERS = (b"0123", b"4567", b"89ab", b"cdef")
"""Of a hexadecimal digit, by its two high bits."""
# Where the audit_id and its parts stand in {"audit_id":"tttttttt-tttt-8sss-ssss-sssrrrrrrrrr","event":{ …
_BEFORE, _ID, _AFTER = slice(0, 13), slice(13, 49), slice(49, 60)
_TIME_HIGH, _TIME_LOW, _PLACE, _SHARED_DIGIT = slice(13, 21), slice(22, 26), slice(26, 40), 40
_TIME = slice(-26, -2)


@dataclass(slots=True)
class Read:
    """What was read of consecutive records, one entry each, for whoever holds them against their surroundings."""

    data: Sequence[bytes]
    first: int
    prev_hash: str
    first_ms: int
    last_ms: int = 0
    audit_ids: list[bytes] = field(default_factory=list)
    days: list[bytes] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    """In hex."""
    promises: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Lock mode and `retain_until` as the record writes them."""

    @property
    def times(self) -> list[bytes]:
        """As the records write them."""
        return [one[_TIME] for one in self.data]

    def time_ms(self, sequence: int) -> int:
        """Of one of the records: the first 48 bits of its audit_id."""
        return int(self.audit_ids[sequence - self.first][:13].replace(b"-", b""), 16)

    def keys(self, org_id: str) -> list[str]:
        """The key of each."""
        owner = org_id.encode()
        numbered = enumerate(zip(self.days, self.audit_ids, strict=True), start=self.first)
        return [(b"%b/%b/%012d-%b.json" % (owner, day, n, audit_id)).decode() for n, (day, audit_id) in numbered]

    def locked(self, locks: Sequence[Lock | None]) -> bool:
        """Whether each has the lock that it promises, or a longer one."""
        until = {text: instants.from_text(text.decode()) for text in {text for _, text in self.promises}}
        return all(
            lock is not None and lock.mode == mode.decode() and lock.retain_until_ms >= until[text]
            for lock, (mode, text) in zip(locks, self.promises, strict=True)
        )


def read(data: Sequence[bytes], org_id: str) -> Read | None:
    """Read records of one organisation that follow each other without fault; None where they do not."""
    try:
        return _read(data, org_id) if data else None
    except ValueError:
        return None


def _read(data: Sequence[bytes], org_id: str) -> Read | None:
    begin = record.read(data[0])
    if begin.sequence == 1 and begin.prev_hash != GENESIS:
        return None
    found = Read(data, begin.sequence, begin.prev_hash, begin.timestamp_ms)
    sha256, seconds, digits = hashlib.sha256, _seconds(), _three_digits()
    add_id, add_day, add_digest = found.audit_ids.append, found.days.append, found.digests.append
    add_hash, add_promise = found.hashes.append, found.promises.append
    signatures: list[bytes] = []
    add_signature = signatures.append
    form = _Form.of(data[0], org_id)
    opening, reach, ending, minute_ms = form.opening, form.reach, form.ending, form.minute_ms
    sequence, prev, before = begin.sequence - 1, begin.prev_hash.encode(), 0
    high, high_ms, block, place = b"", 0, -1, b""
    for one in data:
        sequence += 1
        if one[_TIME_HIGH] != high:
            high = one[_TIME_HIGH]
            high_ms = int(high, 16) << 16
        time_ms = high_ms | int(one[_TIME_LOW], 16)
        passed = time_ms - minute_ms
        expected = ending % (prev, sequence, seconds[passed] if 0 <= passed < _MINUTE_MS else b"")
        start = len(one) - len(expected)
        if not one.endswith(expected) or one[start - reach : start - _SIGNATURE] != opening:
            form = _Form.of(one, org_id)
            opening, reach, ending, minute_ms = form.opening, form.reach, form.ending, form.minute_ms
            passed = time_ms - minute_ms
            if not 0 <= passed < _MINUTE_MS:
                return None
            expected = ending % (prev, sequence, seconds[passed])
            start = len(one) - len(expected)
            if not one.endswith(expected):
                return None
        if sequence >> 14 != block:
            block = sequence >> 14
            place = b"-8%03x-%04x-" % (sequence >> 28, 0x8000 | (block & 0x3FFF))
        if (
            one[_PLACE] != place + digits[sequence >> 2 & 0xFFF]
            or one[_SHARED_DIGIT] not in _QUARTERS[sequence & 3]
            or time_ms < before
        ):
            return None
        before, digest = time_ms, sha256(one).digest()
        prev = hexlify(digest)
        add_id(one[_ID])
        add_day(form.day)
        add_digest(digest)
        add_hash(prev)
        add_promise(form.promise)
        add_signature(one[start - _SIGNATURE : start])
    found.last_ms = before
    return found if _well_formed(found, signatures) else None


def _well_formed(found: Read, signatures: Sequence[bytes]) -> bool:
    """What is the same for all records is looked at for all at once."""
    ids, count = b"".join(found.audit_ids), len(found.audit_ids)
    return (
        {one[_BEFORE] for one in found.data} == {b'{"audit_id":"'}
        and {one[_AFTER] for one in found.data} == {b'","event":{'}
        # Four dashes, of which the places of three are known already, and nothing else but lower-case digits.
        and ids[8::36] == b"-" * count
        and ids.translate(None, _HEX) == b"-" * (4 * count)
        and not b"".join(signatures).translate(None, _HEX)
    )


@dataclass(frozen=True, slots=True)
class _Form:
    """How records of one minute, one key and one promise end; `ending` leaves places for link, sequence and seconds.

    `opening` stands before the signature, `ending` after it; `reach` is the length of opening and signature.
    """

    opening: bytes
    ending: bytes
    reach: int
    minute_ms: int
    day: bytes
    promise: tuple[bytes, bytes]

    @classmethod
    def of(cls, data: bytes, org_id: str) -> _Form:
        """Read a record in the ordinary way. Raises ValueError for what is none, or another organisation's."""
        said = record.read(data)
        if said.org_id != org_id:
            raise ValueError("another organisation's record")
        mode, until = said.lock_mode.encode(), instants.to_text(said.retain_until_ms).encode()
        time = instants.to_text(said.timestamp_ms).encode()
        before, _, _ = data.rpartition(b'","lock_mode":"')
        opening = before[before.rindex(b',"format":"') : -_SIGNATURE]
        ending = _ENDING % (mode, org_id.encode(), until, time[:17])
        minute_ms = said.timestamp_ms - said.timestamp_ms % _MINUTE_MS
        day = time[:10].replace(b"-", b"/")
        return cls(opening, ending, _SIGNATURE + len(opening), minute_ms, day, (mode, until))


_ENDING = b'","lock_mode":"%b","org_id":"%b","prev_hash":"%%b","retain_until":"%b","sequence":%%d,"timestamp":"%b%%b"}'


@cache
def _seconds() -> tuple[bytes, ...]:
    """The rest of a time, for each millisecond of a minute."""
    return tuple(b"%02d.%03dZ" % divmod(ms, 1000) for ms in range(_MINUTE_MS))


@cache
def _three_digits() -> tuple[bytes, ...]:
    return tuple(b"%03x" % value for value in range(0x1000))
