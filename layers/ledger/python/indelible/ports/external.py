# SPDX-License-Identifier: Apache-2.0
"""The providers of external anchoring, and where the anchors that they give are kept.

Providers are not trusted to answer, nor to answer well: an adapter hands on only what it has checked, and raises
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
    """Base of all failures of an anchoring provider. The message is for the log, and holds nothing that it sent."""


class NoAnswer(ExternalFailure):
    """Not reached, not in time, or not able to answer now."""


class Refused(ExternalFailure):
    """They understood, and said no."""


class BadAnswer(ExternalFailure):
    """The answer is too large, is not of the protocol, or is not for what was asked."""


class OtherTree(ExternalFailure):
    """A witness holds a tree that this checkpoint does not continue: two histories, or a witness gone wrong."""


class OtherSize(Exception):
    """A witness holds another size than was named to it, as it may after a crash of ours. Not a failure."""

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
    """What lies in the bucket about the ledger's checkpoints. Files are read and written through `LogFiles`."""

    def published(self, *, newest: int, since_ms: int) -> Sequence[PublishedCheckpoint]:
        """Checkpoints published at or after an instant, ascending by size, and all from size `newest` on.

        `newest` is a hint: a size that is known to be published.
        """
        ...

    def stored(self, *, at_least: int) -> Iterator[StoredAnchor]:
        """Files about checkpoints of at least this size, ascending by size, lazily. Names not ours are left out."""
        ...


class TimestampAuthority(Protocol):
    """RFC 3161."""

    @property
    def name(self) -> str:
        """As it is configured."""
        ...

    def stamp(self, data: bytes) -> bytes:
        """A granted response (DER) for this data and our nonce. Raises ExternalFailure."""
        ...


class Calendar(Protocol):
    """OpenTimestamps."""

    @property
    def name(self) -> str:
        """As it is configured."""
        ...

    def submit(self, digest: bytes) -> bytes:
        """A detached proof (`.ots`) of this SHA-256 digest that the calendar will complete. Raises ExternalFailure."""
        ...

    def upgrade(self, proof: bytes, digest: bytes) -> tuple[int, bytes] | None:
        """Block height and completed proof of the same digest; None while it is pending. Raises ExternalFailure."""
        ...


class Witness(Protocol):
    """C2SP tlog-witness."""

    @property
    def key(self) -> VerifierKey:
        """What it cosigns with."""
        ...

    def cosign(self, checkpoint: Note, *, old: int, proof: Sequence[Hash]) -> Signature:
        """Its verified cosignature of exactly this checkpoint, which continues the tree of size `old`.

        Raises OtherSize when it holds another size than `old`, ExternalFailure otherwise.
        """
        ...
