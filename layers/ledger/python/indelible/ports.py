# SPDX-License-Identifier: Apache-2.0
"""What the services need from the world. The docstrings are contracts: fakes and adapters pass one suite.

Every method may raise `Unavailable` when the other side does not answer; a write that raised it may or may not
have taken effect, and the services are written for both. Nothing else is raised but what a method names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from indelible.domain.findings import Lock
from indelible.domain.merkle import EMPTY_ROOT
from indelible.domain.record import EMPTY_CHAIN, Head, Record
from indelible.domain.tiles import File

T = TypeVar("T")


# -- evidence: the bucket -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of one object, with content. `sha256` is the store's own checksum, hex.

    `shadows` names what lies over this version: newer versions and delete markers.
    """

    s3_key: str
    version_id: str
    data: bytes
    sha256: str | None
    lock: Lock | None
    shadows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyVersions:
    """All versions under one key, oldest first; `markers` are the version ids of delete markers."""

    s3_key: str
    versions: tuple[str, ...]
    markers: tuple[str, ...] = ()

    @property
    def shadows(self) -> tuple[str, ...]:
        """Whatever lies over the sealed version (or, if none is left, over nothing)."""
        return self.versions[1:] + tuple(f"delete marker {marker}" for marker in self.markers)


class RecordStore(Protocol):
    """Write-once storage. Nothing here can overwrite, shorten or delete."""

    def seal(self, record: Record) -> str:
        """Store the record under its key, locked as it promises, and return the version id.

        Create-only. Succeeds on conflict only when what is stored has the same SHA-256 and at least the
        promised lock; then the version id is that of the stored object. Raises EvidenceBroken when the key
        holds something else. On return the store has acknowledged a checksum equal to `record.tx_hash`.
        """
        ...

    def oldest(self, s3_key: str) -> StoredVersion | None:
        """The first version ever stored under the key, whatever lies over it; None when there is none."""
        ...

    def versions(self, org_id: str, *, after: str) -> Iterator[KeyVersions]:
        """Every key of the organisation that sorts after `after` and below the organisation's `_` area.

        In the order of keys, lazily, deleted and shadowed ones included.
        """
        ...

    def read_all(self, keys: Iterable[KeyVersions]) -> Iterator[tuple[KeyVersions, StoredVersion | None]]:
        """Read the oldest version of each key, many at a time, and yield in the order given.

        Takes from `keys` only a bounded number ahead. None where a key has no version with content.
        """
        ...

    def first_key_after(self, org_id: str, key: str) -> str | None:
        """The first record key of the organisation that sorts after `key`, deleted ones included."""
        ...


# -- ordering: the table --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's key, hashed (hex SHA-256), and the first event of its request that a commit covers."""

    key_hash: str
    request_hash: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an idempotency key stands for: the request and the records it made, in order."""

    request_hash: str
    audit_ids: tuple[str, ...]


class HeadMoved(Exception):
    """The head was not what the commit expected. `head` is what it is now, None when only a race is known."""

    def __init__(self, head: Head | None) -> None:
        super().__init__("the head moved")
        self.head = head


class AlreadyRecorded(Exception):
    """The idempotency key is taken."""

    def __init__(self, remembered: Remembered) -> None:
        super().__init__("the idempotency key is taken")
        self.remembered = remembered


class Journal(Protocol):
    """The head of each chain, and the outbox of what is committed but perhaps not yet sealed."""

    def head(self, org_id: str) -> Head:
        """The head now (a consistent read); `EMPTY_CHAIN` before the first record."""
        ...

    def commit(self, head: Head, records: Sequence[Record], idempotency: Idempotency | None, now_ms: int) -> None:
        """Move the head from `head` past `records`, all or nothing: the linearization point of the ledger.

        In one transaction: the head, on condition that its sequence *and* hash are unchanged; an outbox entry
        for each record; the idempotency key, on condition that it is not taken; the day, when it turned.

        An idempotency key is remembered for 30 days. Raises AlreadyRecorded (before HeadMoved, where both hold),
        HeadMoved, or HeadRegressed where the outbox has a record for the next sequence already; then nothing was
        written.
        """
        ...

    def outbox(self, org_id: str, sequences: Sequence[int]) -> dict[int, bytes]:
        """The bytes of those records that are still in the outbox (a consistent read)."""
        ...

    def clear(self, org_id: str, sequences: Sequence[int]) -> None:
        """Delete outbox entries. Only for records that were re-read from the store."""
        ...


MAX_RECORDS_PER_COMMIT = 97
"""DynamoDB takes 100 actions in a transaction; head, day and idempotency key need three."""

MAX_BYTES_PER_COMMIT = 3_500_000
"""DynamoDB takes 4 MB in a transaction; the rest is for keys and attribute names."""


class Index(Protocol):
    """tx_hash → audit_id. A convenience: lost entries are put back by the anchor, wrong ones are noticed."""

    def put(self, record: Record) -> None:
        """Remember where the record with this hash stands."""
        ...

    def find(self, org_id: str, tx_hash: str) -> str | None:
        """The audit_id, or None."""
        ...

    def repair(self, records: Sequence[Record]) -> int:
        """Put back the entries that are missing among these; returns how many were."""
        ...


class News(Protocol):
    """Which organisations have new records. Markers may be lost: the hourly sweep does not need them."""

    def mark(self, org_id: str, now_ms: int) -> None:
        """Say that the organisation has news."""
        ...

    def recent(self, now_ms: int) -> list[str]:
        """Organisations marked in the last quarter of an hour, each once, sorted."""
        ...


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
        """The state now (a consistent read); `NOTHING_COVERED` before the first run."""
        ...

    def advance(self, org_id: str, old: LogState, new: LogState) -> bool:
        """Replace `old` by `new`; False when another run was faster."""
        ...


class LogFiles(Protocol):
    """The static files of logs (c2sp.org/tlog-tiles), each below `{owner}/_log/`.

    `owner` is an organisation, or `_ledger`. Everything is locked until `retain_until_ms` at least.
    """

    def read(self, owner: str, path: str) -> bytes | None:
        """The first version ever stored of a file, None when there is none."""
        ...

    def write(self, owner: str, files: Sequence[File], *, retain_until_ms: int) -> None:
        """Store files, create-only, in any order. Raises EvidenceBroken where other bytes have the name."""
        ...

    def sizes(self, owner: str, *, at_least: int) -> Iterator[int]:
        """The tree sizes of published checkpoints from `at_least` on, ascending, lazily."""
        ...

    def latest(self, owner: str, note: bytes, *, size: int, retain_until_ms: int) -> None:
        """Make this the newest version of `checkpoint`, unless one of a larger tree is there already."""
        ...


class Signer(Protocol):
    """The ledger's Ed25519 key."""

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes (RFC 8032). The same for the same message, always."""
        ...

    def public_key(self) -> bytes:
        """The public key, 32 bytes."""
        ...


# -- who may record -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrgKey:
    """One HMAC key of an organisation, by id; the secret itself is derived, never stored."""

    key_id: str
    created_at: str
    disabled_at: str | None = None


@dataclass(frozen=True, slots=True)
class OrgConfig:
    """An organisation: its keys in the order of creation, and whether it may do anything at all."""

    org_id: str
    created_at: str
    keys: tuple[OrgKey, ...]
    disabled_at: str | None = None
    retention_days: int | None = None

    def active_keys(self) -> tuple[OrgKey, ...]:
        """Keys that may sign, oldest first; none for a disabled organisation."""
        return () if self.disabled_at else tuple(key for key in self.keys if key.disabled_at is None)


class Organisations(Protocol):
    """The registry."""

    def get(self, org_id: str) -> OrgConfig | None:
        """The organisation as of at most a minute ago, or None."""
        ...

    def create(self, config: OrgConfig) -> bool:
        """Register; False when the name is taken (disabled ones included)."""
        ...

    def replace(self, old: OrgConfig, new: OrgConfig) -> bool:
        """Change an organisation; False when it is not `old` any more."""
        ...

    def all(self) -> Iterator[str]:
        """Every organisation's id, sorted, disabled ones included."""
        ...


class SecretSource(Protocol):
    """Where the master secret comes from."""

    def master(self) -> bytes:
        """The master secret; cached by the adapter for some minutes."""
        ...


# -- what anybody may ask -------------------------------------------------------------------------------


class BucketProbe(Protocol):
    """Whether the evidence can be reached."""

    def trouble(self) -> str | None:
        """None when the bucket answers, else a word for the log. Cheap, quick to give up, raises nothing."""
        ...


class SigningKeys(Protocol):
    """The public keys that the ledger's checkpoints are signed with."""

    def public_keys(self) -> Sequence[bytes]:
        """Raw Ed25519 public keys (32 bytes each), the one in use first; cached by the adapter."""
        ...


# -- the machine ----------------------------------------------------------------------------------------


class Clock(Protocol):
    """Time, and waiting."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        ...

    def sleep_ms(self, duration_ms: float) -> None:
        """Wait."""
        ...


class Entropy(Protocol):
    """Randomness. Safe after a snapshot restore: read from the operating system each time."""

    def bits(self, count: int) -> int:
        """That many random bits as an integer."""
        ...

    def fraction(self) -> float:
        """Uniform in [0, 1)."""
        ...


class Workers(Protocol):
    """Doing independent things at the same time."""

    def gather(self, thunks: Sequence[Callable[[], T]]) -> list[T | Exception]:
        """Run all, wait for all; a thunk's exception stands in its place."""
        ...


class Telemetry(Protocol):
    """Counts and notes for operators. Never payloads, never secrets."""

    def count(self, name: str, value: float = 1, *, unit: str = "Count") -> None:
        """Add to a metric (docs/operations.md lists them)."""
        ...

    def note(self, message: str, **fields: str | int | float | None) -> None:
        """A structured log line at warning level."""
        ...
