# SPDX-License-Identifier: Apache-2.0
"""Every breakage has a name, and what cannot be asked is never well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from indelible.domain.anchors import AnchorFile
from indelible.errors import NotSealed
from indelible.ports.deployment import BucketSettings, SigningKeyState
from indelible.services.doctor import Finding, Health, examine
from indelible.services.doctor_chains import ChainChecks
from indelible.services.doctor_deployment import DeploymentChecks
from tests.fakes.chains import ORG
from tests.fakes.deployment import BUCKET_POLICY, KEY_POLICY, FakeDeployment
from tests.fakes.external import FakeAnchorFiles
from tests.fakes.machine import SequentialWorkers
from tests.fakes.repair import FakeInventory
from tests.fakes.world import World
from tests.faults.wire import Fault, Wire
from tests.unit.services.test_registry import Office

HOUR_MS = 3_600_000


class Ward:
    """A ledger, and what a doctor says of it."""

    def __init__(self) -> None:
        self.office = Office()
        self.world: World = self.office.world
        self.office.registry.create(ORG)
        self.world.record(1, 2, 3)
        for org_id in ("_admin", ORG):
            self.world.anchored(org_id=org_id)
        self.world.logged()
        self.deployment = FakeDeployment(self.world.clock)
        self.anchors = FakeAnchorFiles(self.world.bucket)

    def findings(self) -> list[Finding]:
        world = self.world
        chains = ChainChecks(
            organisations=world.organisations,
            inventory=FakeInventory(world.bucket),
            journal=world.journal,
            records=world.records,
            register=world.register,
            log=world.log(),
            ledger_register=world.ledger_register,
            ledger_outbox=world.ledger_outbox,
            anchors=self.anchors,
            deployment=self.deployment,
            workers=SequentialWorkers(),
            clock=world.clock,
        )
        deployed = DeploymentChecks(
            deployment=self.deployment, log=world.log(), keys=world.keys(), files=world.files, clock=world.clock
        )
        return examine([*deployed.checks(), *chains.checks()])

    def advice(self) -> list[str]:
        return [finding.advice for finding in self.findings() if finding.health is not Health.OK]

    def troubles(self) -> list[tuple[str, str]]:
        return [(f.check, str(f.health)) for f in self.findings() if f.health is not Health.OK]

    def leave_unsealed(self, number: int) -> None:
        wire = Wire(Fault(4, "before", "outage"))
        with pytest.raises(NotSealed):
            self.world.appender(wire).append(self.world.submission(number))


@pytest.fixture
def ward() -> Ward:
    return Ward()


def test_a_healthy_ledger_is_well_and_every_check_says_what_it_saw(ward: Ward) -> None:
    findings = ward.findings()
    assert [finding for finding in findings if finding.health is not Health.OK] == []
    assert {finding.check for finding in findings} == {
        "bucket lock", "bucket policy", "public access", "signing key", "key policy", "pinned keys", "key in use",
        "schedules", "last round", "alarms", "master secret", "clock", "organisations", "ledger log",
        "external anchors",
    }  # fmt: skip
    assert all(finding.found and not finding.advice for finding in findings)


def _set(**values: Any) -> Callable[[Ward], None]:
    def change(ward: Ward) -> None:
        for name, value in values.items():
            setattr(ward.deployment, name, value)

    return change


def _settings(**values: Any) -> Callable[[Ward], None]:
    healthy: dict[str, Any] = {"locked": True, "mode": "COMPLIANCE", "days": 2555, "versioned": True}
    return _set(settings=BucketSettings(**{**healthy, **values}))


def _key(state: str = "Enabled", spec: str = "ECC_NIST_EDWARDS25519") -> SigningKeyState:
    return SigningKeyState("key", state, spec)


def _old_key_disabled(ward: Ward) -> None:
    ward.world.rotate()
    ward.world.record(4)
    ward.world.anchored()
    ward.world.logged()
    ward.deployment.key_states = (_key("Disabled"), _key())


PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:b/*"}
STRICT = {"Sid": "Mine", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:b/x"}

BREAKAGES: list[tuple[str, Callable[[Ward], None], list[tuple[str, str]]]] = [
    ("lock removed", _settings(locked=False), [("bucket lock", "fail")]),
    ("versioning suspended", _settings(versioned=False), [("bucket lock", "fail")]),
    ("default retention removed", _settings(mode=None, days=None), [("bucket lock", "fail")]),
    ("default retention shortened", _settings(days=30), [("bucket lock", "fail")]),
    ("another mode", _settings(mode="GOVERNANCE"), [("bucket lock", "fail")]),
    ("policy gone", _set(policy=()), [("bucket policy", "fail")]),
    ("statement gone", _set(policy=BUCKET_POLICY[1:]), [("bucket policy", "fail")]),
    ("opened", _set(policy=(*BUCKET_POLICY, PUBLIC)), [("bucket policy", "fail")]),
    ("stricter", _set(policy=(*BUCKET_POLICY, STRICT)), [("bucket policy", "warn")]),
    ("public block gone", _set(blocked={}), [("public access", "fail")]),
    ("public block off", _set(blocked={"BlockPublicAcls": False}), [("public access", "fail")]),
    ("key disabled", _set(key_states=(_key("Disabled"),)), [("signing key", "fail")]),
    ("key to be deleted", _set(key_states=(_key("PendingDeletion"),)), [("signing key", "fail")]),
    ("old key disabled", _old_key_disabled, [("signing key", "warn")]),
    ("another kind of key", _set(key_states=(_key(spec="RSA_2048"),)), [("signing key", "fail")]),
    ("somebody else signs", _set(signers=({**KEY_POLICY[0], "Condition": {}},)), [("key policy", "fail")] * 2),
    ("schedule deleted", _set(timetable={"news": True}), [("schedules", "fail")]),
    ("schedule disabled", _set(timetable={"news": False, "sweep": True}), [("schedules", "fail")]),
    ("never a round", _set(round=None), [("last round", "warn")]),
    ("silence", _set(round=("SUCCEEDED", 0)), [("last round", "fail")]),
    ("an alarm rings", _set(bells={"indelible-AnchorLag": "ALARM"}), [("alarms", "fail")]),
    ("no alarms", _set(bells={}), [("alarms", "fail")]),
    ("secret gone", _set(secret=False), [("master secret", "fail")]),
    ("clock a little off", _set(skew_ms=-9_000), [("clock", "warn")]),
    ("clock off", _set(skew_ms=HOUR_MS), [("clock", "fail")]),
]


@pytest.mark.parametrize(("change", "expected"), [b[1:] for b in BREAKAGES], ids=[b[0] for b in BREAKAGES])
def test_each_breakage_is_named(ward: Ward, change: Callable[[Ward], None], expected: list[tuple[str, str]]) -> None:
    change(ward)
    assert ward.troubles() == expected
    assert all(finding.advice for finding in ward.findings() if finding.health is not Health.OK)


def test_a_round_that_failed_is_named(ward: Ward) -> None:
    ward.deployment.round = ("FAILED", ward.world.clock.now)
    assert ward.troubles() == [("last round", "warn")]


@pytest.mark.parametrize(
    ("mute", "check"),
    [
        ("bucket", "bucket lock"),
        ("bucket_policy", "bucket policy"),
        ("public_access", "public access"),
        ("key_policy", "key policy"),
        ("schedules", "schedules"),
        ("last_round", "last round"),
        ("alarms", "alarms"),
        ("has_secret", "master secret"),
        ("clock_ms", "clock"),
        ("external_tracks", "external anchors"),
    ],
)
def test_what_cannot_be_asked_is_unknown_and_stops_nothing_else(ward: Ward, mute: str, check: str) -> None:
    ward.deployment.mute.add(mute)
    assert ward.troubles() == [(check, "unknown")]
    assert len({finding.check for finding in ward.findings()}) == 15


# -- what the ledger does -------------------------------------------------------------------------------


def test_a_table_from_the_past_is_named_with_what_to_do(ward: Ward) -> None:
    ward.world.administrator.set_head(ORG, ward.world.sealed()[0].head)
    (finding,) = [finding for finding in ward.findings() if finding.health is Health.FAIL]
    assert (finding.check, finding.advice) == ("head", f"indelible rebuild --org {ORG}")
    assert ORG in finding.found


def test_a_lost_registry_is_named(ward: Ward) -> None:
    ward.world.organisations.configs.clear()
    assert ward.troubles() == [("registry", "fail"), ("registry", "fail")]
    assert "organisations" not in {finding.check for finding in ward.findings()}  # nothing is well with 0 of 2


def test_a_register_from_the_past_is_named(ward: Ward) -> None:
    del ward.world.register.states[ORG]
    assert ward.troubles() == [("log", "fail")]
    ward.world.register.states.clear()
    ward.world.journal.heads.clear()
    assert ward.troubles() == [("head", "fail"), ("head", "fail")]


def test_records_that_nobody_anchors_are_named_when_they_are_old(ward: Ward) -> None:
    ward.world.record(4, 5)
    assert ward.troubles() == []
    ward.world.clock.advance(16 * 60_000)
    assert ward.troubles() == [("anchor lag", "fail")]
    ward.world.anchored()
    ward.world.logged()
    assert ward.troubles() == []


def test_records_that_are_in_the_outbox_only_are_named_too(ward: Ward) -> None:
    ward.world.record(4)
    ward.leave_unsealed(5)
    ward.world.clock.advance(16 * 60_000)
    assert ward.troubles() == [("anchor lag", "fail"), ("outbox", "fail")]
    found = next(finding.found for finding in ward.findings() if finding.check == "outbox")
    assert "record 5 is 16 min old" in found


def test_a_ledger_log_that_stands_still_is_named(ward: Ward) -> None:
    ward.world.record(4)
    ward.world.anchored()
    assert ward.troubles() == []
    ward.world.clock.advance(HOUR_MS)
    assert ward.troubles() == [("ledger log", "fail")]
    assert "60 min" in next(finding.found for finding in ward.findings() if finding.check == "ledger log")


def test_a_ledger_register_from_the_past_is_named(ward: Ward) -> None:
    ward.world.ledger_register.state = type(ward.world.ledger_register)().state
    (finding,) = [finding for finding in ward.findings() if finding.health is Health.FAIL]
    assert (finding.check, finding.advice) == ("ledger log", "indelible rebuild --org _ledger")


@pytest.mark.parametrize("owner", [ORG, "_ledger"])
def test_files_that_no_key_signed_are_named_and_stop_nothing(ward: Ward, owner: str) -> None:
    ward.world.administrator.insert(f"{owner}/_log/checkpoints/000000000900", b"junk", None)
    assert ward.troubles() == [("log", "warn")]
    assert f"{owner}: checkpoints/000000000900" in next(f.found for f in ward.findings() if f.health is Health.WARN)


def test_a_checkpoint_by_another_key_is_named(ward: Ward) -> None:
    ward.world.signers = [type(ward.world.signer)(seed=9)]
    assert ("key in use", "fail") in ward.troubles()


def test_a_key_that_waits_to_be_pinned_and_one_that_cannot_be(ward: Ward) -> None:
    ward.world.rotate()
    ward.deployment.key_states = (_key(), _key())
    assert ward.troubles() == [("pinned keys", "warn")]
    ward.world.administrator.insert("_ledger/_log/keys/0002", b"mine", None)
    assert ward.troubles() == [("pinned keys", "fail")]


def test_a_key_that_was_taken_out_of_the_deployment_is_named(ward: Ward) -> None:
    ward.world.rotate()
    ward.world.record(4)
    ward.world.anchored()
    del ward.world.signers[-1]
    assert ("pinned keys", "fail") in ward.troubles()


def test_a_track_that_has_given_nothing_is_named(ward: Ward) -> None:
    ward.deployment.tracks = ("rfc3161-freetsa", "witness-w1")
    size = ward.world.ledger_register.read().published

    class Anchors:
        def published(self, *, newest: int, since_ms: int) -> Sequence[Any]:
            return [_Published(size, ward.world.clock.now - 2 * HOUR_MS)]

        def stored(self, *, at_least: int) -> Any:
            yield _Stored(size, AnchorFile("token", "freetsa"), ward.world.clock.now - HOUR_MS)

    ward.anchors = Anchors()  # type: ignore[assignment]
    assert ward.troubles() == [("external anchors", "warn")]
    assert "witness-w1" in next(f.found for f in ward.findings() if f.health is Health.WARN)


def test_a_register_that_an_older_version_wrote_is_to_be_rebuilt(ward: Ward) -> None:
    ward.world.register.rootless.add(ORG)

    assert ward.troubles() == [("log", "fail")]
    assert ward.advice() == [f"indelible rebuild --org {ORG}"]


class _Published:
    def __init__(self, size: int, published_ms: int) -> None:
        self.size, self.published_ms = size, published_ms


class _Stored:
    def __init__(self, size: int, file: AnchorFile, stored_ms: int) -> None:
        self.size, self.file, self.stored_ms = size, file, stored_ms
