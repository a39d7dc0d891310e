# SPDX-License-Identifier: Apache-2.0
"""The Merkle log: how far it is, its files, and the keys that sign it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from indelible.domain.merkle import EMPTY_ROOT
from indelible.domain.record import EMPTY_CHAIN, Head
from indelible.domain.tiles import File


@dataclass(frozen=True, slots=True)
class LogState:
    """How far an organisation's log is.

    `tail` is the last record that the tree of this `root` (hex) covers; a checkpoint is published up to the record
    `published`; the outbox has been emptied up to the sequence `cleared`. Never `published` > `tail`.
    """

    tail: Head
    root: str
    published: Head
    cleared: int

    @property
    def tree_size(self) -> int:
        """Records covered by a published checkpoint."""
        return self.published.sequence


NOTHING_COVERED = LogState(tail=EMPTY_CHAIN, root=EMPTY_ROOT.hex(), published=EMPTY_CHAIN, cleared=0)


class LogHead(Protocol):
    """The anchor's own compare-and-swap register."""

    def read(self, org_id: str) -> LogState:
        """The state now (a consistent read); `NOTHING_COVERED` before the first run.

        Raises HeadRegressed where it cannot be read, say because an older version wrote it: rebuild it.
        """
        ...

    def advance(self, org_id: str, old: LogState, new: LogState) -> bool:
        """Replace `old` by `new`; False when another run was faster."""
        ...


class StoredLogFiles(Protocol):
    """The static files of logs (c2sp.org/tlog-tiles), each below `{owner}/_log/`, for whoever reads them.

    `owner` is an organisation, or `_ledger`. Of a file of more than `MAX_FILE_BYTES`, which nobody here has written,
    the beginning is read, and one byte more than that.
    """

    def read(self, owner: str, path: str) -> bytes | None:
        """The first version ever stored of a file (of `checkpoint`, the newest), None when there is none."""
        ...

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:
        """The tree sizes of published checkpoints from `at_least` on, ascending, lazily."""
        ...

    def checkpoints(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """The same with the first version of each file, for whoever opens them all: a bounded number is read ahead."""
        ...


class CurrentLogFiles(StoredLogFiles, Protocol):
    """The same where the newest version costs less than the first."""

    def current(self, owner: str, path: str) -> bytes | None:
        """What a plain GET finds, in one request; None when there is nothing, or a delete marker over it.

        Only for what proves itself: on anything that does not fit, `read` decides.
        """
        ...


class LogFiles(CurrentLogFiles, Protocol):
    """The same where they are written. Everything is locked until `retain_until_ms` at least."""

    def write(self, owner: str, files: Sequence[File], *, retain_until_ms: int) -> None:
        """Store files, create-only, in any order. Raises EvidenceBroken where other bytes have the name."""
        ...

    def extend_lock(self, owner: str, path: str, *, at_least_until_ms: int, retain_until_ms: int) -> int:
        """Lengthen the lock of the first version of a file where it ends before `at_least_until_ms`.

        Returns until when it is locked then: `retain_until_ms`, or what it was. Raises EvidenceBroken for no file.
        """
        ...

    def latest(self, owner: str, note: bytes, *, size: int, retain_until_ms: int) -> None:
        """Make this the newest version of `checkpoint`, unless one of a larger tree is there already.

        A note of the same tree with more signature lines is newer: that is how cosignatures come to it.
        """
        ...


class PublicKey(Protocol):
    """One generation of the ledger's Ed25519 key, or its ML-DSA-44 key, for whoever only reads."""

    def public_key(self) -> bytes:
        """The public key, 32 or 1,312 bytes; cached by the adapter."""
        ...


class Signer(PublicKey, Protocol):
    """One generation of the ledger's Ed25519 key, for the anchor."""

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes (RFC 8032). The same for the same message, always."""
        ...


class SecondSigner(PublicKey, Protocol):
    """The ledger's ML-DSA-44 key, for the second line below a checkpoint; it has no generations."""

    def sign(self, message: bytes) -> bytes:
        """The signature, 2,420 bytes (FIPS 204, empty context). Another one each time, perhaps."""
        ...
