# SPDX-License-Identifier: Apache-2.0
"""What a verifier examines, what it compares that with, and the failures that it may find.

Invariant: the names of failures are part of the public interface; they are never renamed or reused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from indelible.domain.receipt import Receipt
from indelible.domain.record import MAX_OBJECT_BYTES, Head, tx_hash


class FailureCode(StrEnum):
    """Stable names of what can be wrong (architecture §6)."""

    CONTENT_MISMATCH = "CONTENT_MISMATCH"
    BROKEN_LINK = "BROKEN_LINK"
    MISSING = "MISSING"
    FORK = "FORK"
    SHADOWED = "SHADOWED"
    UNLOCKED = "UNLOCKED"
    TIME_REVERSED = "TIME_REVERSED"
    TRUNCATED = "TRUNCATED"
    UNKNOWN_FORMAT = "UNKNOWN_FORMAT"
    CHECKPOINT_MISMATCH = "CHECKPOINT_MISMATCH"
    BAD_SIGNATURE = "BAD_SIGNATURE"


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is wrong, and where. `through` is the last of several missing sequences."""

    code: FailureCode
    sequence: int | None
    detail: str
    through: int | None = None
    s3_key: str | None = None
    version_id: str | None = None
    expected: str | None = None
    found: str | None = None


MAX_FAILURES = 1000
"""Failures listed one by one; further ones are only counted. The first of each code is always among them."""


_RANK = {code: rank for rank, code in enumerate(FailureCode)}


def in_order(failures: Iterable[Failure]) -> list[Failure]:
    """In the order in which every verdict lists them.

    By sequence, those without one last; then by code in the order of `FailureCode`, by where they end, by key, version
    and detail. The evidence page does the same (page/script/chain.js).
    """
    return sorted(
        failures,
        key=lambda one: (
            one.sequence is None,
            one.sequence or 0,
            _RANK[one.code],
            one.through or 0,
            one.s3_key or "",
            one.version_id or "",
            one.detail,
        ),
    )


@dataclass(slots=True, kw_only=True)
class Failures:
    """Failures found so far. `first_broken_at` is the lowest sequence of all, listed or only counted."""

    failures: list[Failure] = field(default_factory=list)
    failures_total: int = 0
    first_broken_at: int | None = None

    def report(
        self,
        code: FailureCode,
        sequence: int | None,
        detail: str,
        *,
        expected: str | None = None,
        found: str | None = None,
    ) -> None:
        """Add a failure, given by its fields."""
        self.take(Failure(code=code, sequence=sequence, detail=detail, expected=expected, found=found))

    def take(self, failure: Failure) -> None:
        """Add a failure; after `MAX_FAILURES`, count it."""
        self.failures_total += 1
        if failure.sequence is not None:
            self.first_broken_at = min(failure.sequence, self.first_broken_at or failure.sequence)
        if len(self.failures) < MAX_FAILURES or self._made_room(failure.code):
            self.failures.append(failure)

    def _made_room(self, code: FailureCode) -> bool:
        """In a full list, drop a failure of a code that has several, for the first failure of another code."""
        if any(failure.code is code for failure in self.failures):
            return False
        listed = [failure.code for failure in self.failures]
        many = next((at for at in range(len(listed) - 1, 0, -1) if listed[at] in listed[:at]), None)
        if many is not None:
            del self.failures[many]
        return many is not None


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock of an object version as the store shows it now."""

    mode: str
    retain_until_ms: int


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The object under one record key: its oldest version with content, as read, and what is on top of that.

    `version_id` and `data` are None where no version with content is left; of an object of more than
    `MAX_OBJECT_BYTES`, `data` is only the beginning. `stored_sha256` is the checksum that the store keeps (hex), None
    where it keeps none. `lock` is None for an object without one. `shadows` names newer versions and delete markers.
    """

    s3_key: str
    version_id: str | None
    data: bytes | None
    stored_sha256: str | None = None
    lock: Lock | None = None
    shadows: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether `data` is the whole content."""
        return self.data is not None and len(self.data) <= MAX_OBJECT_BYTES

    @property
    def tx_hash(self) -> str:
        """Hex SHA-256 of the bytes; of an object that was not read whole, the checksum that the store keeps, if any."""
        return (not self.is_whole and self.stored_sha256) or tx_hash(self.data or b"")


@dataclass(frozen=True, slots=True)
class ExpectedHash:
    """The `tx_hash` (hex) that record `sequence` must have, by `source`: the table's head, a receipt or a checkpoint.

    The record must agree with every other member of a `receipt`, too.
    """

    sequence: int
    tx_hash: str
    source: str
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive records without a fault, checked by another reader, but for their link to the record before.

    `first`, `prev_hash` and `first_ms` are sequence, link and time (Unix ms) of the first of them.
    """

    first: int
    prev_hash: str
    first_ms: int
    last: Head
