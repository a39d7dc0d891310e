# SPDX-License-Identifier: Apache-2.0
"""What outlives everything else: table, key, secret, logs, and who hears of deletes."""

from __future__ import annotations

from typing import Any

import pytest

from infra.config import LedgerConfig
from infra.constructs.signing_key import SigningKey
from tests.infra.synth import Synthesized, as_list

STATEFUL = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::SecretsManager::Secret")


@pytest.mark.parametrize("type_", STATEFUL)
def test_what_is_stateful_is_kept_in_production_and_goes_in_development(
    prod: Synthesized, dev: Synthesized, type_: str
) -> None:
    for synthesized, policy in ((prod, "Retain"), (dev, "Delete")):
        found = list(synthesized.resources(type_))
        assert found
        for logical_id, resource in found:
            assert resource["DeletionPolicy"] == policy, logical_id
            assert resource["UpdateReplacePolicy"] == policy, logical_id


def test_everything_stateful_is_in_the_ledger_stack_and_no_code_is(prod: Synthesized) -> None:
    for type_ in STATEFUL:
        assert list(prod.resources(type_)) == list(prod.resources(type_, "ledger"))
    assert not list(prod.resources("AWS::Lambda::Function", "ledger"))


def test_termination_protection_follows_the_stage(prod: Synthesized, dev: Synthesized) -> None:
    def protected(synthesized: Synthesized, stack: str) -> bool:
        properties = synthesized.manifest["artifacts"][f"{synthesized.name}-{stack}"]["properties"]
        return bool(properties.get("terminationProtection", False))

    assert protected(prod, "ledger")
    assert not protected(prod, "api")
    assert not protected(prod, "anchor")
    assert not protected(dev, "ledger")


def test_the_table(prod: Synthesized, dev: Synthesized) -> None:
    properties = prod.one("AWS::DynamoDB::Table")["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert {a["AttributeName"]: a["AttributeType"] for a in properties["AttributeDefinitions"]} == {
        "pk": "S",
        "sk": "S",
    }
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert properties["DeletionProtectionEnabled"] is True
    assert "GlobalSecondaryIndexes" not in properties
    assert "TableName" not in properties
    assert not dev.one("AWS::DynamoDB::Table")["Properties"].get("DeletionProtectionEnabled")


def test_the_signing_key_is_ed25519_and_the_anchors_role_alone_signs(prod: Synthesized) -> None:
    properties = prod.one("AWS::KMS::Key")["Properties"]
    assert (properties["KeySpec"], properties["KeyUsage"]) == ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    statements = properties["KeyPolicy"]["Statement"]
    anywhere = {a for s in statements if s["Effect"] == "Allow" and "Condition" not in s for a in as_list(s["Action"])}
    assert not any("*" in action for action in anywhere)
    assert not anywhere & {"kms:Sign", "kms:CreateGrant", "kms:ScheduleKeyDeletion"}
    assert "kms:PutKeyPolicy" in anywhere, "KMS refuses a policy that locks its own administrator out"
    signer = prod.render(next(s for s in statements if s.get("Sid") == "SignerSigns"))["Condition"]["ArnEquals"]
    role = prod.render(prod.one("AWS::IAM::Role", "AnchorRole")["Properties"]["RoleName"])
    assert signer["aws:PrincipalArn"].endswith(f":role/{role}")
    assert role.startswith("indelible-anchor-")


def test_development_may_delete_its_key(dev: Synthesized) -> None:
    statements = dev.one("AWS::KMS::Key")["Properties"]["KeyPolicy"]["Statement"]
    assert "kms:ScheduleKeyDeletion" in statements[0]["Action"]


def test_a_signer_is_the_only_one_who_signs() -> None:
    from aws_cdk import App, Stack
    from aws_cdk.assertions import Template

    signer = "arn:aws:iam::111122223333:role/anchor"
    stack = Stack(App(), "test")
    SigningKey(stack, "Key", config=LedgerConfig(), signer_role_arn=signer, description="generation 1")
    (key,) = Template.from_stack(stack).find_resources("AWS::KMS::Key").values()
    signing: list[dict[str, Any]] = [
        s for s in key["Properties"]["KeyPolicy"]["Statement"] if "kms:Sign" in as_list(s["Action"])
    ]
    assert {s["Effect"]: s["Condition"] for s in signing} == {
        "Allow": {"ArnEquals": {"aws:PrincipalArn": signer}},
        "Deny": {"ArnNotEquals": {"aws:PrincipalArn": signer}},
    }
    assert all(as_list(s["Action"]) == ["kms:Sign"] for s in signing)


def test_the_master_secret_is_generated(prod: Synthesized) -> None:
    properties = prod.one("AWS::SecretsManager::Secret")["Properties"]
    assert properties["GenerateSecretString"] == {"PasswordLength": 64, "ExcludePunctuation": True}
    assert "SecretString" not in properties


def test_outputs_are_what_the_command_line_reads(prod: Synthesized) -> None:
    outputs = prod.template("ledger")["Outputs"]
    rendered = {name: prod.render(o["Value"]) for name, o in outputs.items() if "Export" not in o}
    assert rendered == {
        "BucketName": "<EvidenceBucket>",
        "ExportsBucketName": "<ExportsBucket>",
        "TableName": "<LedgerTable>",
        "SecretArn": "<MasterSecret>",
        "SigningKeyIds": "<SigningKey>",
        "LedgerName": "indelible",
        "LockMode": "COMPLIANCE",
        "RetentionDays": "2555",
    }


def test_the_logs_bucket_takes_logs_from_this_account_only(prod: Synthesized) -> None:
    allowed = [s for s in prod.policy("LogsBucket") if s["Effect"] == "Allow"]
    principals = sorted(s["Principal"]["Service"] for s in allowed)
    assert principals == ["cloudtrail.amazonaws.com"] * 2 + ["logging.s3.amazonaws.com"] * 2
    for statement in allowed:
        conditions = str(statement["Condition"])
        assert "aws:SourceArn" in conditions, statement
    properties = prod.one("AWS::S3::Bucket", "LogsBucket")["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}


def test_the_trail_hears_deletes_and_retention_changes_on_evidence_only(prod: Synthesized) -> None:
    trail = prod.one("AWS::CloudTrail::Trail")["Properties"]
    (selector,) = prod.render(trail["AdvancedEventSelectors"])
    fields = {f["Field"]: f.get("Equals") or f.get("StartsWith") for f in selector["FieldSelectors"]}
    assert fields == {
        "eventCategory": ["Data"],
        "resources.type": ["AWS::S3::Object"],
        "resources.ARN": ["<EvidenceBucket.Arn>/"],
        "eventName": ["DeleteObject", "DeleteObjects", "PutObjectRetention", "PutObjectLegalHold"],
    }
    assert "EventSelectors" not in trail
    assert trail["EnableLogFileValidation"] is True
    (transformation,) = prod.one("AWS::Logs::MetricFilter")["Properties"]["MetricTransformations"]
    alarm = prod.one("AWS::CloudWatch::Alarm", "AlarmsDeniedDeletes")["Properties"]
    assert (transformation["MetricNamespace"], transformation["MetricName"]) == (
        alarm["Namespace"],
        alarm["MetricName"],
    )


def test_a_ledger_without_a_trail_has_no_alarm_that_never_rings(dev: Synthesized) -> None:
    assert not list(dev.resources("AWS::CloudTrail::Trail"))
    assert not [i for i, _ in dev.resources("AWS::CloudWatch::Alarm") if "DeniedDeletes" in i]
