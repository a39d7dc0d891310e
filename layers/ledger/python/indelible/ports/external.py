# SPDX-License-Identifier: Apache-2.0
"""The providers of external anchoring, and the files in which their anchors are stored.

Providers are not trusted to answer, nor to answer correctly: an adapter returns only what it has verified, and raises
`ExternalFailure` for everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from indelible.domain.anchors import AnchorFile
from indelible.domain.merkle import Hash
from indelible.domain.note import Note, Signature, VerifierKey


class ExternalFailure(Exception):
    """Base of all failures of an anchoring provider. The message is for the log, and quotes nothing that it sent."""


class NoAnswer(ExternalFailure):
    """The provider could not be reached, did not answer in time, or said that it cannot answer now."""


class Refused(ExternalFailure):
    """The provider refused the request."""


class BadAnswer(ExternalFailure):
    """The answer is too large, is not of the protocol, or is not for what was asked."""


class OtherTree(ExternalFailure):
    """A witness has seen a tree that this checkpoint does not continue: a split view, or a broken witness."""


class OtherSize(Exception):
    """A witness has cosigned another size than the request named, as after a crash of ours. Not a failure."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the witness holds size {size}")
        self.size = size


@dataclass(frozen=True, slots=True)
class StoredAnchor:
    """A file about the checkpoint of this size, and when it was stored (Unix milliseconds)."""

    size: int
    file: AnchorFile
    stored_ms: int


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """A checkpoint of the ledger's log, and when it was published (Unix milliseconds)."""

    size: int
    published_ms: int


class AnchorFiles(Protocol):
    """Listings of the anchors of the ledger's checkpoints. `LogFiles` reads and writes the files themselves."""

    def published(self, *, newest: int, since_ms: int) -> Sequence[PublishedCheckpoint]:
        """Checkpoints published at or after `since_ms` (Unix milliseconds), and all from size `newest` on, ascending.

        `newest` is a size that is known to be published.
        """
        ...

    def stored(self, *, at_least: int) -> Iterator[StoredAnchor]:
        """Anchors of checkpoints of at least this size, ascending by size, lazily. Other names are skipped."""
        ...


class TimestampAuthority(Protocol):
    """A Time-Stamping Authority (RFC 3161)."""

    @property
    def name(self) -> str:
        """The name under which it is configured, and its anchors are stored."""
        ...

    def stamp(self, data: bytes) -> bytes:
        """A granted response (DER) for this data, verified, with our nonce. Raises ExternalFailure."""
        ...


class Calendar(Protocol):
    """An OpenTimestamps calendar."""

    @property
    def name(self) -> str:
        """The name under which it is configured, and its anchors are stored."""
        ...

    def submit(self, digest: bytes) -> bytes:
        """A detached proof (`.ots`) of this SHA-256 digest that the calendar will complete. Raises ExternalFailure."""
        ...

    def upgrade(self, proof: bytes, digest: bytes) -> tuple[int, bytes] | None:
        """The Bitcoin block height and the completed proof; None while it is pending. Raises ExternalFailure."""
        ...


class Witness(Protocol):
    """A witness (c2sp.org/tlog-witness)."""

    @property
    def key(self) -> VerifierKey:
        """The key that it cosigns with."""
        ...

    def cosign(self, checkpoint: Note, *, old: int, proof: Sequence[Hash]) -> Signature:
        """The witness's cosignature of this checkpoint, verified. `proof` leads to it from the tree of size `old`.

        Raises OtherSize when the size that it last cosigned is not `old`, ExternalFailure for anything else.
        """
        ...
