# SPDX-License-Identifier: Apache-2.0
"""The deployed parts of a ledger, as AWS describes them now. Reading only.

Every method may raise `CannotTell`: the caller may not ask, or whoever was asked does not know the question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Statement: TypeAlias = Mapping[str, Any]


class CannotTell(Exception):
    """No answer, and why; nothing is known to be wrong."""


@dataclass(frozen=True, slots=True)
class BucketSettings:
    """Object Lock and versioning of the evidence bucket; `mode` and `days` of its default retention, if it has one."""

    locked: bool
    mode: str | None
    days: int | None
    versioned: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """Statements as the template of the deployed stack has them, and as they are."""

    wanted: Sequence[Statement]
    deployed: Sequence[Statement]


@dataclass(frozen=True, slots=True)
class SigningKeyState:
    """One generation: KMS's words for its state and its spec."""

    key_id: str
    state: str
    spec: str


@dataclass(frozen=True, slots=True)
class Promised:
    """What the ledger's stack was deployed with."""

    lock_mode: str
    retention_days: int


class Deployment(Protocol):
    """One ledger in one account and Region."""

    @property
    def promised(self) -> Promised:
        """From the outputs of the ledger's stack."""
        ...

    def bucket(self) -> BucketSettings:
        """The evidence bucket."""
        ...

    def bucket_policy(self) -> Policy:
        """Its policy."""
        ...

    def public_access(self) -> Mapping[str, bool]:
        """The four settings of its public access block; empty where it has none."""
        ...

    def signing_keys(self) -> Sequence[SigningKeyState]:
        """The signing keys, oldest first."""
        ...

    def key_policy(self, key_id: str) -> Policy:
        """The policy of one of them."""
        ...

    def schedules(self) -> Mapping[str, bool]:
        """The anchor's schedules by name, and whether each is enabled."""
        ...

    def last_round(self) -> tuple[str, int] | None:
        """How the last round of the anchor ended (RUNNING, SUCCEEDED, …), and when it began (Unix ms)."""
        ...

    def alarms(self) -> Mapping[str, str]:
        """The ledger's alarms by name, and their states."""
        ...

    def has_secret(self) -> bool:
        """Whether the master secret is there, and not on its way to deletion."""
        ...

    def clock_ms(self) -> int:
        """What time AWS says it is, to the second."""
        ...

    def external_tracks(self) -> Sequence[str]:
        """The tracks that are configured: `rfc3161-…`, `ots-…`, `witness-…`."""
        ...
