# SPDX-License-Identifier: Apache-2.0
"""The record format once more, written from its description and nothing else.

Invariant: imports nothing of indelible. The expected bytes come from the standard library and `rfc8785` (Trail of
Bits), so a fault in the ledger's own code cannot hide in its test vectors.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import rfc8785

GENESIS = "GENESIS"


@dataclass(frozen=True)
class Made:
    """A record and where it is stored."""

    key: str
    data: bytes
    tx_hash: str
    audit_id: str
    fields: dict[str, Any]


def instant(text: str) -> datetime:
    """An RFC 3339 instant in UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def text_of(when: datetime) -> str:
    """With exactly three decimals."""
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def unix_ms(when: datetime) -> int:
    """Milliseconds since the epoch."""
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def audit_id(timestamp_ms: int, sequence: int, random: int) -> str:
    """RFC 9562 UUIDv8, laid out as a string of 128 bits and cut into the five groups of its text."""
    seq40 = f"{sequence:040b}"
    bits = f"{timestamp_ms:048b}" + "1000" + seq40[:12] + "10" + seq40[12:] + f"{random:034b}"
    if len(bits) != 128:
        raise ValueError("a part does not fit its bits")
    digits = "".join(f"{int(bits[at : at + 4], 2):x}" for at in range(0, 128, 4))
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def key_of(org_id: str, timestamp: str, sequence: int, audit: str) -> str:
    """`{org_id}/{YYYY}/{MM}/{DD}/{sequence:012d}-{audit_id}.json`."""
    return f"{org_id}/{timestamp[:10].replace('-', '/')}/{sequence:012d}-{audit}.json"


def seal(fields: dict[str, Any], governor: bytes) -> Made:
    """Sign, serialize and hash a record whose other members are given."""
    unsigned = {name: value for name, value in fields.items() if name != "governor_signature"}
    signature = hmac.new(governor, rfc8785.dumps(unsigned), hashlib.sha256).hexdigest()
    signed = {**unsigned, "governor_signature": signature}
    data = rfc8785.dumps(signed)
    return Made(
        key=key_of(signed["org_id"], signed["timestamp"], signed["sequence"], signed["audit_id"]),
        data=data,
        tx_hash=hashlib.sha256(data).hexdigest(),
        audit_id=signed["audit_id"],
        fields=signed,
    )


def make(
    event: Any,
    *,
    org_id: str,
    sequence: int,
    prev_hash: str,
    timestamp: str,
    governor: bytes,
    random: int = 0,
    lock_mode: str = "COMPLIANCE",
    days: int = 2555,
) -> Made:
    """A whole record. `timestamp` is what the record shall say."""
    when = instant(timestamp)
    until = when + timedelta(days=days)
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    if midnight != until:
        midnight += timedelta(days=1)
    return seal(
        {
            "audit_id": audit_id(unix_ms(when), sequence, random),
            "event": event,
            "format": "indelible/record@v1",
            "governor_key_id": "k1",
            "lock_mode": lock_mode,
            "org_id": org_id,
            "prev_hash": prev_hash,
            "retain_until": text_of(midnight),
            "sequence": sequence,
            "timestamp": text_of(when),
        },
        governor,
    )


def hkdf_sha256(master: bytes, info: bytes) -> bytes:
    """RFC 5869 with no salt and 32 bytes of output: one block."""
    return hmac_sha256(hmac_sha256(bytes(32), master), info + b"\x01")


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104."""
    return hmac.new(key, message, hashlib.sha256).digest()
