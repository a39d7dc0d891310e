# SPDX-License-Identifier: Apache-2.0
"""What the bucket that is the ledger lets happen to it, in production and in development."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.config import LedgerConfig
from tests.infra.conftest import COUNSEL
from tests.infra.policy import denied_by
from tests.infra.synth import Synthesized, synthesize

BUCKET = "<EvidenceBucket.Arn>"
RECORD = f"{BUCKET}/acme-corp/2026/03/20/000000000142-0195b3c1-0000-8000-8000-000000000000.json"
TILE = f"{BUCKET}/acme-corp/_log/tile/0/x001/067"
TLS = {"aws_SecureTransport": "true", "s3_TlsVersion": "1.3"}
#: A PUT as the functions send it.
SEALED: dict[str, str] = {
    **TLS,
    "s3_if_none_match": "*",
    "s3_object_lock_mode": "COMPLIANCE",
    "s3_object_lock_remaining_retention_days": "2555",
    "s3_x_amz_server_side_encryption": "AES256",
}


@pytest.fixture(scope="module")
def statements(prod: Synthesized) -> list[dict[str, Any]]:
    # S3's own condition key for TLS has capitals; the evaluator's argument names keep them.
    return prod.policy("EvidenceBucket")


def without(request: dict[str, str], *keys: str) -> dict[str, str]:
    return {key: value for key, value in request.items() if key not in keys}


def test_the_bucket_locks_versions_and_hides_what_it_holds(prod: Synthesized) -> None:
    bucket = prod.one("AWS::S3::Bucket", "EvidenceBucket")
    properties = bucket["Properties"]
    assert properties["ObjectLockEnabled"] is True
    assert properties["ObjectLockConfiguration"] == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Days": 2555, "Mode": "COMPLIANCE"}},
    }
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [
        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    ]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert prod.render(properties["LoggingConfiguration"]["DestinationBucketName"]) == "<LogsBucket>"
    assert "LifecycleConfiguration" not in properties
    assert "BucketName" not in properties
    assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_policy_outlives_the_stack_together_with_its_bucket(prod: Synthesized) -> None:
    assert prod.one("AWS::S3::BucketPolicy", "EvidenceBucket")["DeletionPolicy"] == "Retain"


def test_development_locks_for_a_day_in_governance_mode_and_goes_with_the_stack(dev: Synthesized) -> None:
    bucket = dev.one("AWS::S3::Bucket", "EvidenceBucket")
    rule = bucket["Properties"]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert rule == {"Days": 1, "Mode": "GOVERNANCE"}
    assert bucket["DeletionPolicy"] == "Delete"


def test_a_record_is_sealed_as_the_functions_seal_it(statements: list[dict[str, Any]]) -> None:
    assert denied_by(statements, "s3:PutObject", RECORD, **SEALED) == set()
    # A PUT with lock headers is authorized as PutObjectRetention as well.
    assert denied_by(statements, "s3:PutObjectRetention", RECORD, **without(SEALED, "s3_if_none_match")) == set()


def test_a_record_from_the_outbox_is_sealed_weeks_later_with_what_it_promised(
    statements: list[dict[str, Any]],
) -> None:
    late = SEALED | {"s3_object_lock_remaining_retention_days": "2530"}
    assert denied_by(statements, "s3:PutObject", RECORD, **late) == set()


def test_after_the_retention_was_raised_an_older_promise_alone_is_too_short(tmp_path: Path) -> None:
    """It is sealed all the same, with the lock that new objects get: S3Records.seal."""
    raised = synthesize(tmp_path, LedgerConfig.from_context({"retention_days": "3650"})).policy("EvidenceBucket")
    assert denied_by(raised, "s3:PutObject", RECORD, **SEALED) == {"NoShorterLock"}
    longer = SEALED | {"s3_object_lock_remaining_retention_days": "3650"}
    assert denied_by(raised, "s3:PutObject", RECORD, **longer) == set()


@pytest.mark.parametrize(
    ("change", "refused_by"),
    [
        # Overwriting: plain PUT, copy and every multipart call arrive as PutObject without the header.
        (without(SEALED, "s3_if_none_match"), {"CreateOnly"}),
        (without(SEALED, "s3_object_lock_mode"), {"RecordsNameTheLock"}),
        (SEALED | {"s3_object_lock_mode": "GOVERNANCE"}, {"RecordsNameTheLock", "NoOtherLockMode"}),
        (SEALED | {"s3_object_lock_remaining_retention_days": "365"}, {"NoShorterLock"}),
        (without(SEALED, "s3_x_amz_server_side_encryption"), {"RecordsNameTheEncryption"}),
        (
            SEALED | {"s3_x_amz_server_side_encryption": "aws:kms"},
            {"NoCustomerKeys", "RecordsNameTheEncryption"},
        ),
        (
            SEALED | {"s3_x_amz_server_side_encryption_customer_algorithm": "AES256"},
            {"NoCustomerProvidedKeys"},
        ),
        (SEALED | {"aws_SecureTransport": "false"}, {"TLS"}),
        (SEALED | {"s3_TlsVersion": "1.1"}, {"TLS"}),
    ],
)
def test_a_record_cannot_be_put_otherwise(
    statements: list[dict[str, Any]], change: dict[str, str], refused_by: set[str]
) -> None:
    assert denied_by(statements, "s3:PutObject", RECORD, **change) == refused_by


def test_saying_the_default_encryption_aloud_is_allowed(statements: list[dict[str, Any]]) -> None:
    spoken = SEALED | {"s3_x_amz_server_side_encryption": "AES256"}
    assert denied_by(statements, "s3:PutObject", RECORD, **spoken) == set()


@pytest.mark.parametrize("owner", ["acme-corp", "_ledger"])
def test_only_the_latest_checkpoint_may_get_a_second_version(statements: list[dict[str, Any]], owner: str) -> None:
    overwrite = without(SEALED, "s3_if_none_match")
    assert denied_by(statements, "s3:PutObject", f"{BUCKET}/{owner}/_log/checkpoint", **overwrite) == set()
    for key in ("checkpoints/000000000142", "tile/0/000", "tile/entries/000", "checkpoint2"):
        assert denied_by(statements, "s3:PutObject", f"{BUCKET}/{owner}/_log/{key}", **overwrite) == {"CreateOnly"}


def test_an_object_of_the_log_may_take_the_buckets_default_lock_but_no_other(
    statements: list[dict[str, Any]],
) -> None:
    default = {**TLS, "s3_if_none_match": "*"}
    assert denied_by(statements, "s3:PutObject", TILE, **default) == set()
    weaker = default | {"s3_object_lock_mode": "GOVERNANCE", "s3_object_lock_remaining_retention_days": "1"}
    assert denied_by(statements, "s3:PutObject", TILE, **weaker) == {"NoOtherLockMode", "NoShorterLock"}


@pytest.mark.parametrize(
    "retention",
    [
        {},  # clearing it: PutObjectRetention with an empty body carries no mode
        {"s3_object_lock_mode": "GOVERNANCE", "s3_object_lock_remaining_retention_days": "2555"},
    ],
)
def test_retention_is_never_cleared_or_weakened(statements: list[dict[str, Any]], retention: dict[str, str]) -> None:
    assert denied_by(statements, "s3:PutObjectRetention", RECORD, **TLS, **retention)


@pytest.mark.parametrize("days", ["3650", "40"])
def test_retention_can_be_lengthened_also_by_little_when_most_of_it_is_over(
    statements: list[dict[str, Any]], days: str
) -> None:
    # That it is longer, S3 sees to: nobody shortens a lock in COMPLIANCE mode.
    longer = {"s3_object_lock_mode": "COMPLIANCE", "s3_object_lock_remaining_retention_days": days}
    assert denied_by(statements, "s3:PutObjectRetention", RECORD, **TLS, **longer) == set()


def test_in_governance_mode_the_floor_holds_afterwards_too(tmp_path: Path) -> None:
    config = LedgerConfig.from_context({"lock_mode": "GOVERNANCE", "retention_days": "365"})
    found = synthesize(tmp_path, config).policy("EvidenceBucket")
    for action in ("s3:PutObject", "s3:PutObjectRetention"):
        shorter = SEALED | {"s3_object_lock_mode": "GOVERNANCE", "s3_object_lock_remaining_retention_days": "300"}
        assert denied_by(found, action, RECORD, **shorter) == {"NoShorterLock"}


def test_nothing_gets_another_encryption_later(prod: Synthesized, dev: Synthesized) -> None:
    for stage in (prod, dev):
        found = denied_by(stage.policy("EvidenceBucket"), "s3:UpdateObjectEncryption", RECORD, **TLS)
        assert found == {"NoOtherEncryptionLater"}


@pytest.mark.parametrize("action", ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"])
@pytest.mark.parametrize("key", [RECORD, TILE, f"{BUCKET}/acme-corp/_log/checkpoint"])
def test_nobody_deletes_in_production(statements: list[dict[str, Any]], action: str, key: str) -> None:
    assert denied_by(statements, action, key, **TLS) == {"NobodyDeletes"}


@pytest.mark.parametrize("action", ["s3:DeleteBucket", "s3:PutLifecycleConfiguration"])
def test_nobody_undermines_the_bucket_in_production(statements: list[dict[str, Any]], action: str) -> None:
    assert denied_by(statements, action, BUCKET, **TLS) == {"NobodyUndermines"}


def test_the_deployer_can_still_lengthen_retention_and_change_the_policy(
    statements: list[dict[str, Any]],
) -> None:
    for action in ("s3:PutBucketObjectLockConfiguration", "s3:PutBucketPolicy"):
        assert denied_by(statements, action, BUCKET, **TLS) == set()


@pytest.mark.parametrize("action", ["s3:ReplicateObject", "s3:ReplicateDelete"])
def test_replication_is_no_way_in(prod: Synthesized, dev: Synthesized, action: str) -> None:
    for stage in (prod, dev):
        assert denied_by(stage.policy("EvidenceBucket"), action, RECORD, **TLS) == {"NoReplicationInto"}


def test_only_named_operators_place_and_release_legal_holds(
    audited: Synthesized, statements: list[dict[str, Any]]
) -> None:
    named = audited.policy("EvidenceBucket")
    for key in (RECORD, TILE):
        assert denied_by(named, "s3:PutObjectLegalHold", key, **TLS, aws_PrincipalArn=COUNSEL) == set()
        for other in (f"{COUNSEL}-2", "arn:aws:iam::123456789012:root"):
            refused = denied_by(named, "s3:PutObjectLegalHold", key, **TLS, aws_PrincipalArn=other)
            assert refused == {"OnlyOperatorsHold"}
        assert denied_by(named, "s3:PutObjectLegalHold", key, **TLS) == {"OnlyOperatorsHold"}
    assert denied_by(named, "s3:GetObjectLegalHold", RECORD, **TLS) == set()
    # Nobody is named by default: then it is for IAM to say, as everything else is.
    assert denied_by(statements, "s3:PutObjectLegalHold", RECORD, **TLS) == set()


def test_every_denial_is_for_every_principal(statements: list[dict[str, Any]]) -> None:
    # Nothing is allowed here: whatever is allowed is in the roles, and said there once.
    assert {statement["Effect"] for statement in statements} == {"Deny"}
    assert all(statement["Principal"] == {"AWS": "*"} for statement in statements)


def test_reading_over_tls_is_nobodys_business_but_iams(statements: list[dict[str, Any]]) -> None:
    for action in ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention"):
        assert denied_by(statements, action, RECORD, **TLS) == set()


def test_development_is_create_only_too_but_can_be_cleaned_up(dev: Synthesized) -> None:
    statements = dev.policy("EvidenceBucket")
    overwriting = without(SEALED, "s3_if_none_match") | {"s3_object_lock_mode": "GOVERNANCE"}
    assert denied_by(statements, "s3:PutObject", RECORD, **overwriting) == {"CreateOnly"}
    # The lock is a day: what is left of it an hour later is not an attack.
    tomorrow = {"s3_object_lock_mode": "GOVERNANCE", "s3_object_lock_remaining_retention_days": "0"}
    assert denied_by(statements, "s3:PutObject", RECORD, **SEALED | tomorrow) == set()
    assert denied_by(statements, "s3:DeleteObjectVersion", RECORD, **TLS) == set()
