# SPDX-License-Identifier: Apache-2.0
"""The fast reading of many records: everything that `ChainChecker` would check of them, or nothing at all.

Invariant: a scan says that a run of records is faultless only where `ChainChecker.observe` would have found nothing in
any of them. At the first thing that is not exactly as expected it gives up without a word, and the slow checker, which
knows what to say, reads the same records again. So no failure is ever named here.

An honest record ends in bytes that are known before it is read, but for a signature and a time: one comparison takes
the place of a parser. What differs (the day turned, another key signs) is read in the ordinary way first.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import rfc8785

from indelible.domain import canonical, instants, record
from indelible.domain.findings import Lock, Run
from indelible.domain.merkle import Subtree
from indelible.domain.record import GENESIS, Head
from indelible.errors import InvalidRequest

_FRONT = re.compile(rb'\{"audit_id":"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}","event":\{')
_AUDIT_ID = slice(13, 49)
_HEX = b"0123456789abcdef"
_SIGNATURE = 64
_TIME = 24
_END = b'"}'
_MIDDLE = b'","lock_mode":"%b","org_id":"%b","prev_hash":"%%b","retain_until":"%b","sequence":%%d,"timestamp":"'


@dataclass(frozen=True, slots=True)
class Ask:
    """What a scan holds records against beside each other.

    `promised` are the hashes that somebody named for a sequence. `sizes` are the sizes of all checkpoints, ascending;
    None where no tree is wanted. `strict` parses every record wholly.
    """

    org_id: str
    promised: Mapping[int, Collection[str]] = field(default_factory=dict)
    sizes: Sequence[int] | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Scanned:
    """A faultless run, and what the log needs to know of it: tree sizes and the subtrees that lead to each."""

    run: Run
    pieces: tuple[tuple[int, tuple[Subtree, ...]], ...]


@dataclass(slots=True)
class Read:
    """What was read of consecutive records, one entry each, for whoever holds them against their surroundings."""

    first: int
    prev_hash: str
    first_ms: int
    last_ms: int
    audit_ids: list[bytes] = field(default_factory=list)
    days: list[bytes] = field(default_factory=list)
    times: list[bytes] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    promises: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Lock mode and `retain_until` as the record writes them."""

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


def read(data: Sequence[bytes], ask: Ask) -> Read | None:
    """Read records that follow each other without fault, all of one organisation; None where they do not."""
    try:
        found = _read(data, ask) if data else None
    except ValueError:
        return None
    return None if ask.strict and not all(map(is_canonical, data)) else found


def is_canonical(data: bytes) -> bool:
    """Whether the whole record is the RFC 8785 serialization of one JSON object: hash and shape leave that open."""
    try:
        return rfc8785.dumps(cast("canonical.JsonValue", canonical.decode(data))) == data
    except (InvalidRequest, ValueError, RecursionError):
        return False


def scanned(found: Read, ask: Ask) -> Scanned | None:
    """The run that these records are, once their surroundings are found to fit; None where a promise is not kept."""
    last = found.first + len(found.digests) - 1
    for sequence, hashes in ask.promised.items():
        if found.first <= sequence <= last and set(hashes) != {found.digests[sequence - found.first].hex()}:
            return None
    end = Head(last, found.digests[-1].hex(), found.last_ms)
    run = Run(found.first, found.prev_hash, found.first_ms, end)
    return Scanned(run, _pieces(found, ask.sizes) if ask.sizes is not None else ())


def _read(data: Sequence[bytes], ask: Ask) -> Read | None:
    begin = record.read(data[0])
    if begin.org_id != ask.org_id:
        return None
    found = Read(begin.sequence, begin.prev_hash, begin.timestamp_ms, 0)
    if begin.sequence == 1 and begin.prev_hash != GENESIS:
        return None
    sha256, front = hashlib.sha256, _FRONT.match
    add_id, add_day = found.audit_ids.append, found.days.append
    add_time, add_digest, add_promise = found.times.append, found.digests.append, found.promises.append
    form = _Form.of(data[0], ask.org_id)
    sequence, prev, before, minute, minute_ms, day = begin.sequence - 1, begin.prev_hash, 0, b"", 0, b""
    for one in data:
        sequence += 1
        middle = form.middle % (prev.encode(), sequence)
        end = len(one) - _TIME - len(_END)
        start = end - len(middle)
        if one[start:end] != middle or one[start - form.reach : start - _SIGNATURE] != form.opening:
            form = _Form.of(one, ask.org_id)
            middle = form.middle % (prev.encode(), sequence)
            start = end - len(middle)
            if one[start:end] != middle:
                return None
        # 64 hexadecimal digits, and a time of the one form, are all that a record's end is free to say.
        if one[start - _SIGNATURE : start].translate(None, _HEX) or one[-2:] != _END or front(one) is None:
            return None
        time = one[end:-2]
        if time[:17] != minute:
            minute, day = time[:17], time[:10].replace(b"-", b"/")
            minute_ms = instants.from_text(minute.decode() + "00.000Z") if minute[10:11] == b"T" else -1
        time_ms = minute_ms + _milliseconds(time)
        audit_id = one[_AUDIT_ID]
        number = int(audit_id.translate(None, b"-"), 16)
        located = (number >> 36 & 0xFFF_0000_000) | (number >> 34 & 0x0FFF_FFFF)
        if minute_ms < 0 or time_ms < before or number >> 80 != time_ms or located != sequence:
            return None
        digest = sha256(one)
        prev, before = digest.hexdigest(), time_ms
        add_id(audit_id)
        add_day(day)
        add_time(time)
        add_digest(digest.digest())
        add_promise(form.promise)
    found.last_ms = before
    return found


def _milliseconds(time: bytes) -> int:
    """Of `YYYY-MM-DDThh:mm:ss.sssZ`, those since the minute began. Raises ValueError for another form."""
    seconds, rest = time[17:19], time[20:23]
    if seconds.isdigit() and rest.isdigit() and seconds < b"60" and time[19:20] == b"." and time[23:] == b"Z":
        return int(seconds) * 1000 + int(rest)
    raise ValueError("not a time of a record")


@dataclass(frozen=True, slots=True)
class _Form:
    """The bytes in which one record ends, with places for the link and the sequence: those of the next are the same.

    `opening` stands before the signature and `middle` after it; `reach` is the length of both signature and opening.
    """

    opening: bytes
    middle: bytes
    reach: int
    promise: tuple[bytes, bytes]

    @classmethod
    def of(cls, data: bytes, org_id: str) -> _Form:
        """Read a record in the ordinary way. Raises ValueError for what is none, or another organisation's."""
        said = record.read(data)
        if said.org_id != org_id:
            raise ValueError("another organisation's record")
        ending = data[max(0, len(data) - record.LONGEST_TAIL) :]
        opening, _, rest = ending.rpartition(b',"lock_mode":"')
        start = opening.rindex(b',"format":"')
        until = rest.rpartition(b'","sequence":')[0][-_TIME:]
        middle = (
            b'","lock_mode":"%b","org_id":"%b","prev_hash":"%%b","retain_until":"%b","sequence":%%d,"timestamp":"'
            % (
                said.lock_mode.encode(),
                org_id.encode(),
                until,
            )
        )
        signed = opening[start : -_SIGNATURE - 1]
        return cls(signed, middle, _SIGNATURE + len(signed), (said.lock_mode.encode(), until))


def _pieces(found: Read, sizes: Sequence[int]) -> tuple[tuple[int, tuple[Subtree, ...]], ...]:
    """The records as parts of the tree, cut wherever a checkpoint is."""
    first, end = found.first - 1, found.first - 1 + len(found.digests)
    cuts = [*sizes[bisect_right(sizes, first) : bisect_right(sizes, end)]]
    if not cuts or cuts[-1] != end:
        cuts.append(end)
    if not sizes or sizes[-1] <= first:
        return ()  # no root is signed for any of these
    pieces = []
    for cut in cuts:
        pieces.append((cut, subtrees(found.digests[first - found.first + 1 : cut - found.first + 1], first)))
        first = cut
    return tuple(pieces)


def subtrees(leaves: Sequence[bytes], first: int) -> tuple[Subtree, ...]:
    """The perfect subtrees over neighbouring leaf data, left to right; `first` is the index of the first leaf."""
    sha256 = hashlib.sha256
    row = [sha256(b"\x00" + leaf).digest() for leaf in leaves]
    left: list[Subtree] = []
    right: list[Subtree] = []
    height, index = 0, first
    while row:
        if index & 1:
            left.append(Subtree(height, row[0]))
            row, index = row[1:], index + 1
        if len(row) & 1:
            right.append(Subtree(height, row.pop()))
        pairs = iter(row)
        row = [sha256(b"\x01" + one + other).digest() for one, other in zip(pairs, pairs, strict=True)]
        height, index = height + 1, index >> 1
    return (*left, *reversed(right))
