# SPDX-License-Identifier: Apache-2.0
"""Read consecutive records fast, checking everything that `ChainChecker` checks of each record and link.

Invariant: `read` returns records only where `ChainChecker` would have found no failure in any of them. At the first
byte that is not exactly as expected it returns None.

Apart from its event and a signature, an honest record is known before it is read: its link and its sequence follow from
the record before, its time from its own audit_id. So one comparison replaces a parser. The fields are kept as columns,
over many records at once: each step below is one pass in C over all of them.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from binascii import hexlify, unhexlify
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat, takewhile
from operator import itemgetter

from indelible.domain import instants, record
from indelible.domain.findings import Lock
from indelible.domain.record import GENESIS

_MINUTE_MS = 60_000
_SIGNATURE = 64
_HEX = b"0123456789abcdef"
# A record begins {"audit_id":"tttttttt-tttt-8sss-ssss-sssrrrrrrrrr","event":{ …
_id, _after_id = itemgetter(slice(13, 49)), itemgetter(slice(49, 60))
_DASHES = (8, 13, 18, 23)
_ID = 36
_ENDING = b'%%b","lock_mode":"%b","org_id":"%b","prev_hash":"%%b","retain_until":"%b","sequence":%%d,"timestamp":"%%b"}'


@dataclass(slots=True)
class Read:
    """Columns of fields of consecutive records, to be compared with their keys, checksums and locks."""

    first: int
    prev_hashes: Sequence[bytes]
    """In hex; GENESIS before the first record of a chain."""
    hashes: Sequence[bytes]
    """In hex."""
    digests: Sequence[bytes]
    audit_ids: Sequence[bytes]
    times_ms: Sequence[int]
    times: Sequence[bytes]
    """As the records write them."""
    lock_modes: Sequence[bytes]
    retain_untils: Sequence[bytes]
    """As the records write them."""

    @property
    def sequences(self) -> range:
        """The sequence of each."""
        return range(self.first, self.first + len(self.hashes))

    @property
    def days(self) -> list[bytes]:
        """The day of each, `{YYYY}/{MM}/{DD}`, as in the keys."""
        numbers = [ms // instants.DAY_MS for ms in self.times_ms]
        names = {day: instants.day(day * instants.DAY_MS).replace("-", "/").encode() for day in set(numbers)}
        return [names[day] for day in numbers]

    def keys(self, org_id: str) -> list[str]:
        """The key under which each belongs."""
        form = b"%b/%%b/%%012d-%%b.json" % org_id.encode()
        return [(form % key).decode() for key in zip(self.days, self.sequences, self.audit_ids, strict=True)]

    def locked(self, locks: Sequence[Lock | None]) -> bool:
        """Whether each has the lock that it states, or a longer one. `locks`: what the store shows of each."""
        until_ms = {until: instants.from_text(until.decode()) for until in set(self.retain_untils)}
        return all(
            lock is not None and lock.mode == mode.decode() and lock.retain_until_ms >= until_ms[until]
            for lock, mode, until in zip(locks, self.lock_modes, self.retain_untils, strict=True)
        )


def read(data: Sequence[bytes], org_id: str) -> Read | None:
    """Read consecutive records of one organisation; None where there is a fault in any, or none are given."""
    try:
        return _read(data, org_id) if data else None
    except ValueError:
        return None


def _read(data: Sequence[bytes], org_id: str) -> Read:
    """Raises ValueError at any fault."""
    begin = record.read(data[0])
    if begin.sequence == 1 and begin.prev_hash != GENESIS:
        raise ValueError("the first record follows another one")
    sha256 = hashlib.sha256
    digests = [sha256(one).digest() for one in data]
    hashes = hexlify(b"".join(digests), b" ", len(digests[0])).split()
    prev_hashes = [begin.prev_hash.encode(), *hashes[:-1]]
    if not all(map(bytes.startswith, data, repeat(b'{"audit_id":"'))) or {*map(_after_id, data)} != {b'","event":{'}:
        raise ValueError("another beginning")
    audit_ids = [*map(_id, data)]
    times_ms = _located(audit_ids, begin.sequence)
    times = _texts(times_ms)
    modes, untils = list[bytes](), list[bytes]()
    while (at := len(modes)) < len(data):
        form = _Form.of(data[at], org_id)
        same = form.fits(
            data[at:], prev_hashes[at:], range(begin.sequence + at, begin.sequence + len(data)), times[at:]
        )
        modes += [form.lock_mode] * same
        untils += [form.retain_until] * same
    return Read(begin.sequence, prev_hashes, hashes, digests, audit_ids, times_ms, times, modes, untils)


def _located(audit_ids: Sequence[bytes], first: int) -> list[int]:
    """The times (ms) in well-formed ids of consecutive sequences. Raises ValueError for other ids, and times that fall.

    An id is two words of 64 bits: 48 of the time, 4 of the version and 12 of the sequence; 2 of the variant, 28 of the
    sequence and 34 random ones.
    """
    text, count = b"".join(audit_ids), len(audit_ids)
    dashes = b"-" * count
    if any(text[place::_ID] != dashes for place in _DASHES) or text.translate(None, _HEX) != dashes * len(_DASHES):
        raise ValueError("an id that is no UUID, or not in lower case")
    ids = unhexlify(text.translate(None, b"-"))
    words = array("Q", ids)
    if sys.byteorder == "little":
        words.byteswap()
    version, place = (0x8 << 12 | first >> 28).to_bytes(2), 0b10 << 28 | first & 0x0FFF_FFFF
    if (ids[6::16], ids[7::16]) != (version[:1] * count, version[1:] * count):
        raise ValueError("an id of another version, or far away")
    if [word >> 34 for word in words[1::2]] != [*range(place, place + count)]:
        raise ValueError("an id of another sequence")
    times_ms = [word >> 16 for word in words[0::2]]
    if times_ms != sorted(times_ms) or times_ms[-1] > instants.MAX_MS:
        raise ValueError("time runs backwards, or beyond what a record can say")
    return times_ms


def _texts(times_ms: Sequence[int]) -> list[bytes]:
    """As `instants.to_text`, for times in order: what is the same for a whole minute is written once."""
    seconds, texts = _seconds(), list[bytes]()
    while (at := len(texts)) < len(times_ms):
        begin = times_ms[at] - times_ms[at] % _MINUTE_MS
        minute = instants.to_text(begin)[:17].encode()
        end = bisect_left(times_ms, begin + _MINUTE_MS, at)
        texts += [minute + seconds[ms - begin] for ms in times_ms[at:end]]
    return texts


@cache
def _seconds() -> tuple[bytes, ...]:
    """The rest of a time, for each millisecond of a minute."""
    milliseconds = [b".%03dZ" % ms for ms in range(1000)]
    return tuple(b"%02d" % second + rest for second in range(60) for rest in milliseconds)


@dataclass(frozen=True, slots=True)
class _Form:
    """How records end that have the same governor key, lock and number of digits in their sequence.

    `ending` has places for signature, link, sequence and time. `signature` is the place of the first in a record.
    """

    ending: bytes
    signature: slice
    lock_mode: bytes
    retain_until: bytes

    @classmethod
    def of(cls, data: bytes, org_id: str) -> _Form:
        """Parse a record in the ordinary way. Raises ValueError for a bad one, or another organisation's."""
        said = record.read(data)
        if said.org_id != org_id:
            raise ValueError("another organisation's record")
        mode, until = said.lock_mode.encode(), instants.to_text(said.retain_until_ms).encode()
        before, _, _ = data.rpartition(b'","lock_mode":"')
        opening = before[before.rindex(b',"format":"') : -_SIGNATURE]
        end = len(before) - len(data)
        ending = opening + _ENDING % (mode, org_id.encode(), until)
        return cls(ending, slice(end - _SIGNATURE, end), mode, until)

    def fits(
        self, data: Sequence[bytes], prev_hashes: Sequence[bytes], sequences: Sequence[int], times: Sequence[bytes]
    ) -> int:
        """How many of these records, from the first on, end like this. Raises ValueError where not even one does."""
        signatures = [*map(itemgetter(self.signature), data)]
        expected = map(self.ending.__mod__, zip(signatures, prev_hashes, sequences, times, strict=True))
        count = len([*takewhile(bool, map(bytes.endswith, data, expected))])
        if not count or b"".join(signatures[:count]).translate(None, _HEX):
            raise ValueError("another link, sequence, time or form than expected")
        return count
