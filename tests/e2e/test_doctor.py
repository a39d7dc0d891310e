# SPDX-License-Identifier: Apache-2.0
"""`indelible doctor` on the deployed ledger: well as it was deployed, and each breakage by its name.

The emulator answers every question that is asked here; whether its alarms and policies do anything is another matter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from local.env import Outputs
from tests.e2e.helpers import schedule
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.commands import indelible
from tests.e2e.helpers.forge import Forge
from tests.e2e.helpers.tenant import fresh

OF_ORGANISATIONS = {"registry", "head", "log", "anchor lag", "outbox", "organisations"}
"""What other tests have broken in their own organisations by now."""


@pytest.fixture(scope="module", autouse=True)
def _as_deployed(ledger: Outputs) -> Iterator[None]:
    with schedule.running(ledger):
        yield


@pytest.fixture
def admin(ledger: Outputs) -> Admin:
    return Admin.of(ledger)


def examine(ledger: Outputs) -> tuple[int, list[dict[str, str]]]:
    """As an operator runs it."""
    done = indelible("doctor", "--json", environment=ledger.environment())
    assert done.stdout, done.stderr
    findings: list[dict[str, str]] = json.loads(done.stdout)["findings"]
    return done.returncode, findings


def troubles(ledger: Outputs) -> set[tuple[str, str]]:
    return {
        (finding["check"], finding["health"])
        for finding in examine(ledger)[1]
        if finding["health"] != "ok" and finding["check"] not in OF_ORGANISATIONS
    }


def test_as_it_was_deployed_it_is_well(ledger: Outputs, admin: Admin) -> None:
    org = fresh(ledger, "patient")
    org.record()
    admin.anchor(org.org_id)  # the first run pins the key
    findings = examine(ledger)[1]
    assert {one["check"] for one in findings} >= {"bucket lock", "bucket policy", "key policy", "clock", "ledger log"}
    # The schedule may not have come to its first round yet.
    assert troubles(ledger) - {("last round", "warn")} == set()
    assert not any(org.org_id in one["found"] for one in findings)


@contextmanager
def no_policy(admin: Admin) -> Iterator[None]:
    policy = admin.s3.get_bucket_policy(Bucket=admin.bucket)["Policy"]
    admin.s3.delete_bucket_policy(Bucket=admin.bucket)
    try:
        yield
    finally:
        admin.s3.put_bucket_policy(Bucket=admin.bucket, Policy=policy)


@contextmanager
def opened(admin: Admin) -> Iterator[None]:
    policy = admin.s3.get_bucket_policy(Bucket=admin.bucket)["Policy"]
    document = json.loads(policy)
    somebody = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "s3:GetObject", "Resource": "*"}
    document["Statement"].append(somebody)
    admin.s3.put_bucket_policy(Bucket=admin.bucket, Policy=json.dumps(document))
    try:
        yield
    finally:
        admin.s3.put_bucket_policy(Bucket=admin.bucket, Policy=policy)


@contextmanager
def public(admin: Admin) -> Iterator[None]:
    block = admin.s3.get_public_access_block(Bucket=admin.bucket)["PublicAccessBlockConfiguration"]
    admin.s3.delete_public_access_block(Bucket=admin.bucket)
    try:
        yield
    finally:
        admin.s3.put_public_access_block(Bucket=admin.bucket, PublicAccessBlockConfiguration=block)


@contextmanager
def disabled_key(admin: Admin) -> Iterator[None]:
    kms, key_id = admin.client("kms"), admin.ledger.signing_key_id
    kms.disable_key(KeyId=key_id)
    try:
        yield
    finally:
        kms.enable_key(KeyId=key_id)


@contextmanager
def anybody_signs(admin: Admin) -> Iterator[None]:
    kms, which = admin.client("kms"), {"KeyId": admin.ledger.signing_key_id, "PolicyName": "default"}
    policy = kms.get_key_policy(**which)["Policy"]
    document = json.loads(policy)
    document["Statement"].append({"Effect": "Allow", "Principal": "*", "Action": "kms:Sign", "Resource": "*"})
    kms.put_key_policy(**which, Policy=json.dumps(document))
    try:
        yield
    finally:
        kms.put_key_policy(**which, Policy=policy)


@contextmanager
def no_sweep(admin: Admin) -> Iterator[None]:
    scheduler, which = admin.client("scheduler"), {"GroupName": f"{admin.ledger.ledger_name}-anchor", "Name": "sweep"}
    schedule: dict[str, Any] = scheduler.get_schedule(**which)
    scheduler.delete_schedule(**which)
    try:
        yield
    finally:
        kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State", "Description")
        scheduler.create_schedule(**{name: schedule[name] for name in kept if name in schedule})


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (Admin.no_default_lock, ("bucket lock", "fail")),
        (no_policy, ("bucket policy", "fail")),
        (opened, ("bucket policy", "fail")),
        (public, ("public access", "fail")),
        (disabled_key, ("signing key", "fail")),
        (anybody_signs, ("key policy", "fail")),
        (no_sweep, ("schedules", "fail")),
    ],
)
def test_a_breakage_is_named(
    ledger: Outputs,
    admin: Admin,
    broken: Callable[[Admin], AbstractContextManager[None]],
    named: tuple[str, str],
) -> None:
    with broken(admin):
        found = troubles(ledger)
    assert found - {("last round", "warn")} == {named} or (broken is disabled_key and named in found)


def test_afterwards_it_is_well_again(ledger: Outputs) -> None:
    assert troubles(ledger) - {("last round", "warn")} == set()


def test_a_head_from_a_backup_is_named_with_the_command_that_mends_it(ledger: Outputs, admin: Admin) -> None:
    org = fresh(ledger, "regressed")
    forge = Forge(admin, org.org_id)
    chain = forge.build(3)
    forge.commit(chain[:2])
    forge.seal(chain)
    status, findings = examine(ledger)
    (found,) = [one for one in findings if org.org_id in one["found"]]
    assert (status, found["check"], found["health"]) == (1, "head", "fail")
    assert found["advice"] == f"indelible rebuild --org {org.org_id}"
