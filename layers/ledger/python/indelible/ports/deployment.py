# SPDX-License-Identifier: Apache-2.0
"""The deployed parts of a ledger, as AWS describes them now. Reads only.

Every method may raise `CannotTell`: a permission is missing, or the service does not answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Statement: TypeAlias = Mapping[str, Any]


class CannotTell(Exception):
    """There is no answer, for the reason in the message. Nothing is known to be wrong."""


@dataclass(frozen=True, slots=True)
class BucketSettings:
    """Object Lock and versioning of the evidence bucket."""

    locked: bool
    mode: str | None
    """Of the default retention; None where the bucket has none."""
    days: int | None
    versioned: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """The statements of a policy: in the template of the deployed stack, and now."""

    wanted: Sequence[Statement]
    deployed: Sequence[Statement]


@dataclass(frozen=True, slots=True)
class SigningKeyState:
    """One generation of the signing key, with its KeyState and KeySpec."""

    key_id: str
    state: str
    spec: str


@dataclass(frozen=True, slots=True)
class Promised:
    """The lock mode and the retention that the ledger's stack was deployed with."""

    lock_mode: str
    retention_days: int


class Deployment(Protocol):
    """One ledger in one account and Region."""

    @property
    def promised(self) -> Promised:
        """From the outputs of the ledger's stack, without a further request."""
        ...

    def bucket(self) -> BucketSettings:
        """The settings of the evidence bucket."""
        ...

    def bucket_policy(self) -> Policy:
        """The policy of the evidence bucket."""
        ...

    def public_access(self) -> Mapping[str, bool]:
        """The four settings of its public access block; empty where it has none."""
        ...

    def signing_keys(self) -> Sequence[SigningKeyState]:
        """The signing keys, oldest first."""
        ...

    def key_policy(self, key_id: str) -> Policy:
        """The policy of a signing key."""
        ...

    def schedules(self) -> Mapping[str, bool]:
        """The anchor's schedules by name, and whether each is enabled."""
        ...

    def last_round(self) -> tuple[str, int] | None:
        """The status of the last round (RUNNING, SUCCEEDED, …), and when it began (Unix milliseconds)."""
        ...

    def alarms(self) -> Mapping[str, str]:
        """The states of the ledger's alarms by name: OK, ALARM or INSUFFICIENT_DATA."""
        ...

    def has_secret(self) -> bool:
        """Whether the master secret exists, and is not scheduled for deletion."""
        ...

    def clock_ms(self) -> int:
        """The time in Unix milliseconds as AWS has it, to the second."""
        ...

    def external_tracks(self) -> Sequence[str]:
        """The names of the configured tracks of external anchoring: `rfc3161-…`, `ots-…`, `witness-…`."""
        ...
