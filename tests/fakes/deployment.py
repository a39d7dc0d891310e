# SPDX-License-Identifier: Apache-2.0
"""A healthy deployment, of which a test breaks one thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from indelible.ports.deployment import BucketSettings, CannotTell, Policy, Promised, SigningKeyState, Statement
from tests.fakes.machine import ManualClock

BUCKET_POLICY: tuple[Statement, ...] = (
    {"Sid": "CreateOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:b/*"},
    {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": False}},
    },
)
KEY = SigningKeyState("key-1", "Enabled", "ECC_NIST_EDWARDS25519")
PROMISED = Promised("COMPLIANCE", 2555)
SETTINGS = BucketSettings(locked=True, mode="COMPLIANCE", days=2555, versioned=True)
KEY_POLICY: tuple[Statement, ...] = (
    {
        "Sid": "SignerSigns",
        "Effect": "Allow",
        "Action": "kms:Sign",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": "a"}},
    },
)


@dataclass(slots=True)
class FakeDeployment:
    """Deployment. `mute` names methods that cannot tell."""

    clock: ManualClock
    promised: Promised = PROMISED
    settings: BucketSettings = SETTINGS
    policy: Sequence[Statement] = BUCKET_POLICY
    blocked: Mapping[str, bool] = field(default_factory=lambda: {"BlockPublicAcls": True, "BlockPublicPolicy": True})
    key_states: Sequence[SigningKeyState] = (KEY,)
    signers: Sequence[Statement] = KEY_POLICY
    timetable: Mapping[str, bool] = field(default_factory=lambda: {"news": True, "sweep": True})
    round: tuple[str, int] | None = None
    bells: Mapping[str, str] = field(default_factory=lambda: {"indelible-AnchorLag": "OK"})
    secret: bool = True
    tracks: Sequence[str] = ()
    skew_ms: int = 0
    mute: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.round = ("SUCCEEDED", self.clock.now - 60_000)

    def bucket(self) -> BucketSettings:
        return self._told("bucket", self.settings)

    def bucket_policy(self) -> Policy:
        return self._told("bucket_policy", Policy(BUCKET_POLICY, self.policy))

    def public_access(self) -> Mapping[str, bool]:
        return self._told("public_access", self.blocked)

    def signing_keys(self) -> Sequence[SigningKeyState]:
        return self._told("signing_keys", self.key_states)

    def key_policy(self, key_id: str) -> Policy:
        return self._told("key_policy", Policy(KEY_POLICY, self.signers))

    def schedules(self) -> Mapping[str, bool]:
        return self._told("schedules", self.timetable)

    def last_round(self) -> tuple[str, int] | None:
        return self._told("last_round", self.round)

    def alarms(self) -> Mapping[str, str]:
        return self._told("alarms", self.bells)

    def has_secret(self) -> bool:
        return self._told("has_secret", self.secret)

    def clock_ms(self) -> int:
        return self._told("clock_ms", self.clock.now + self.skew_ms)

    def external_tracks(self) -> Sequence[str]:
        return self._told("external_tracks", self.tracks)

    def _told(self, method: str, answer: Any) -> Any:
        if method in self.mute:
            raise CannotTell(f"{method} is denied")
        return answer
