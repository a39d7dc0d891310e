# SPDX-License-Identifier: Apache-2.0
"""A signed Merkle log: its register in the table, its files in the bucket, and the keys that sign it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from indelible.domain.merkle import EMPTY_ROOT
from indelible.domain.record import EMPTY_CHAIN, Head
from indelible.domain.tiles import File


@dataclass(frozen=True, slots=True)
class LogState:
    """How far an organisation's log is. `published` never lies beyond `tail`."""

    tail: Head
    """The last record of the tree that is fixed: no other root will be signed for its size."""
    root: str
    """The root of that tree, in hex."""
    published: Head
    """The last record that a published checkpoint covers."""
    cleared: int
    """The sequence up to which the outbox has been emptied."""

    @property
    def tree_size(self) -> int:
        """Records covered by a published checkpoint."""
        return self.published.sequence


NOTHING_COVERED = LogState(tail=EMPTY_CHAIN, root=EMPTY_ROOT.hex(), published=EMPTY_CHAIN, cleared=0)


class LogHead(Protocol):
    """The compare-and-swap register of each organisation's log."""

    def read(self, org_id: str) -> LogState:
        """The state now (a consistent read); `NOTHING_COVERED` before the first run.

        Raises HeadRegressed where the item cannot be parsed, say because an older version wrote it: rebuild the table.
        """
        ...

    def advance(self, org_id: str, old: LogState, new: LogState) -> bool:
        """Replace `old` by `new`; False, and nothing is written, when the register is not `old`.

        False also when an attempt whose answer was lost has written `new`: read it again.
        """
        ...


class StoredLogFiles(Protocol):
    """The static files of logs (c2sp.org/tlog-tiles), for readers.

    `owner` is an organisation, or `_ledger`; `path` is relative to `{owner}/_log/`. Of a file of more than
    `MAX_FILE_BYTES`, which this ledger never writes, only that many bytes and one more are read.
    """

    def read(self, owner: str, path: str) -> bytes | None:
        """The first version ever stored of a file, or the newest one of `checkpoint`; None when there is none."""
        ...

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:
        """The sizes of published checkpoints from `at_least` on, ascending, lazily, by the names of their files."""
        ...

    def checkpoints(self, owner: str, *, at_least: int) -> Iterator[tuple[int, bytes]]:
        """As `sizes`, each with the first version of its file. Reads a bounded number ahead."""
        ...


class CurrentLogFiles(StoredLogFiles, Protocol):
    """Log files in a store where reading the newest version costs less than reading the first."""

    def current(self, owner: str, path: str) -> bytes | None:
        """The newest version of a file, in one request; None when there is none, or a delete marker hides it.

        An attacker may have put it there. Use it only for content that a proof confirms, and `read` for the rest.
        """
        ...


class LogFiles(CurrentLogFiles, Protocol):
    """Log files, for the anchor. Every file is locked until `retain_until_ms` (Unix milliseconds) at least."""

    def write(self, owner: str, files: Sequence[File], *, retain_until_ms: int) -> None:
        """Store files, create-only, in any order. Idempotent. All writes have ended when this returns or raises.

        Raises EvidenceBroken where a name has other bytes; the other files may have been written.
        """
        ...

    def extend_lock(self, owner: str, path: str, *, at_least_until_ms: int, retain_until_ms: int) -> int:
        """Extend the lock of a file's first version to `retain_until_ms` where it ends before `at_least_until_ms`.

        Returns the end of the lock, which another run may have extended further. Raises EvidenceBroken when there is no
        such file.
        """
        ...

    def latest(self, owner: str, note: bytes, *, size: int, retain_until_ms: int) -> None:
        """Make this note the newest version of `checkpoint`, unless that is of a larger tree.

        Of two notes of the same tree the one with more signature lines is newer: so cosignatures are published.
        Idempotent.
        """
        ...


class PublicKey(Protocol):
    """The public half of one generation of the ledger's Ed25519 key, or of its ML-DSA-44 key."""

    def public_key(self) -> bytes:
        """The public key: 32 bytes (RFC 8032) or 1,312 bytes (FIPS 204). Cached by the adapter.

        Raises ConfigurationError for a key of another kind.
        """
        ...


class Signer(PublicKey, Protocol):
    """One generation of the ledger's Ed25519 key."""

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes (RFC 8032 §5.1.6). Deterministic: the same message has the same signature."""
        ...


class SecondSigner(PublicKey, Protocol):
    """The ledger's ML-DSA-44 key, which signs a second line below each checkpoint. It has no generations."""

    def sign(self, message: bytes) -> bytes:
        """The signature, 2,420 bytes (FIPS 204, empty context). It may differ each time."""
        ...
