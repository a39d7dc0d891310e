# SPDX-License-Identifier: Apache-2.0
"""The audit_id: a UUIDv8 (RFC 9562 §5.8) that locates its own record.

Big-endian: 48 bits Unix milliseconds of the record's timestamp, 4 bits version (8), the 12 high bits of the
40-bit sequence, 2 bits variant (10), the 28 low bits of the sequence, 34 random bits. Time and sequence give
the object's key, so finding a record needs no index, which could be lost or forged and would cost money.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from indelible.domain import instants

RANDOM_BITS = 34
MAX_SEQUENCE = 10**12 - 1
"""Twelve decimal digits, although 40 bits hold more: object keys must sort in chain order."""


@dataclass(frozen=True, slots=True)
class Location:
    """A record's timestamp (Unix milliseconds) and its sequence in the chain (from 1)."""

    timestamp_ms: int
    sequence: int


def encode(timestamp_ms: int, sequence: int, random: int) -> str:
    """The id as lower-case text. `random` has `RANDOM_BITS` bits.

    Raises ValueError if an argument is out of range.
    """
    if not (0 <= timestamp_ms <= instants.MAX_MS and 0 < sequence <= MAX_SEQUENCE and 0 <= random < 1 << RANDOM_BITS):
        raise ValueError("timestamp, sequence or random bits out of range")
    high, low = sequence >> 28, sequence & 0x0FFF_FFFF
    number = timestamp_ms << 80 | 0x8 << 76 | high << 64 | 0b10 << 62 | low << RANDOM_BITS | random
    return str(UUID(int=number))


def decode(text: str) -> Location:
    """The location in an id.

    Raises ValueError for anything but the canonical text of an audit_id.
    """
    uuid = UUID(text)
    number = uuid.int
    if str(uuid) != text or number >> 76 & 0xF != 0x8 or number >> 62 & 0b11 != 0b10:
        raise ValueError("not an audit_id")
    sequence = (number >> 64 & 0xFFF) << 28 | number >> RANDOM_BITS & 0x0FFF_FFFF
    timestamp_ms = number >> 80
    # The bits hold more than a key, in which a year has four digits and a sequence twelve.
    if not 0 < sequence <= MAX_SEQUENCE or timestamp_ms > instants.MAX_MS:
        raise ValueError("not an audit_id")
    return Location(timestamp_ms=timestamp_ms, sequence=sequence)
