# SPDX-License-Identifier: Apache-2.0
"""Builds adapters and services for the command line: a deployed ledger, found by the outputs of its stacks.

Uses the AWS credentials, region and endpoint of the usual environment variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

from indelible.aws.anchor_workflow import AnchorWorkflow
from indelible.aws.clients import THREADS, client, s3_as
from indelible.aws.crt_records import CrtRecords
from indelible.aws.deployment import AwsDeployment
from indelible.aws.dynamo_index import DynamoIndex, DynamoNews
from indelible.aws.dynamo_journal import DynamoJournal
from indelible.aws.dynamo_ledger_log import DynamoLedgerOutbox, DynamoLedgerRegister
from indelible.aws.dynamo_log import DynamoLogHead
from indelible.aws.dynamo_orgs import DynamoOrganisations
from indelible.aws.dynamo_repair import DynamoRepair
from indelible.aws.kms_key import kms_keys
from indelible.aws.s3_anchors import S3Anchors
from indelible.aws.s3_inventory import S3Inventory
from indelible.aws.s3_log_files import S3LogFiles
from indelible.aws.s3_records import S3Records
from indelible.aws.secrets import SecretsManagerSource
from indelible.aws.stack_outputs import stack_outputs
from indelible.domain.record import Retention
from indelible.entry.machine import NoTelemetry, SystemClock, SystemEntropy, ThreadedWorkers
from indelible.ports import LogFiles, StoredRecords
from indelible.services.admin_log import AdminLog
from indelible.services.append import Appender
from indelible.services.doctor import Check, Deployed
from indelible.services.doctor_chains import Chains
from indelible.services.keys import PinnedKeys
from indelible.services.log import LogReader
from indelible.services.rebuild import Rebuilder
from indelible.services.registry import Registry
from indelible.services.survey import Surveyor


def registry(ledger_name: str) -> Registry:
    """Organisations and keys of the ledger of this name. Raises NotFound when there is none.

    IAM: cloudformation:DescribeStacks, sts:GetCallerIdentity, and what the adapters name.
    """
    outputs = stack_outputs(client("cloudformation"), f"{ledger_name}-ledger")
    clock, dynamodb = SystemClock(), client("dynamodb")
    pool = _pool()
    table, days = outputs["TableName"], int(outputs["RetentionDays"])
    secrets = SecretsManagerSource(client=client("secretsmanager"), secret_id=outputs["SecretArn"])
    organisations = DynamoOrganisations(client=dynamodb, table=table, clock=clock)
    journal = DynamoJournal(client=dynamodb, table=table)
    appender = Appender(
        journal=journal,
        records=S3Records(client=client("s3"), bucket=outputs["BucketName"], pool=pool, clock=clock),
        index=DynamoIndex(client=dynamodb, table=table),
        news=DynamoNews(client=dynamodb, table=table),
        clock=clock,
        entropy=SystemEntropy(),
        workers=ThreadedWorkers(pool),
        telemetry=NoTelemetry(),
    )
    admin_log = AdminLog(
        appender=appender,
        organisations=organisations,
        secrets=secrets,
        clock=clock,
        retention=Retention(lock_mode=outputs["LockMode"], days=days),
        actor=client("sts").get_caller_identity()["Arn"],
    )
    return Registry(
        organisations=organisations,
        secrets=secrets,
        clock=clock,
        admin_log=admin_log,
        journal=journal,
        log=DynamoLogHead(client=dynamodb, table=table),
        ledger_days=days,
    )


def rebuilder(ledger_name: str) -> Rebuilder:
    """What rebuilds the table of the ledger of this name. Raises NotFound when there is none.

    IAM: cloudformation:DescribeStacks, and what the adapters name.
    """
    outputs = stack_outputs(client("cloudformation"), f"{ledger_name}-ledger")
    dynamodb, s3 = client("dynamodb"), client("s3")
    table, bucket = outputs["TableName"], outputs["BucketName"]
    pool = _pool()
    repair = DynamoRepair(client=dynamodb, table=table)
    files = _log_files(outputs, s3, pool)
    log = LogReader(files=files, ledger_name=ledger_name, keys=_pinned_keys(outputs, files).ring)
    inventory = S3Inventory(client=s3, bucket=bucket)
    surveyor = Surveyor(
        records=S3Records(client=s3, bucket=bucket, pool=pool, clock=SystemClock()),
        journal=DynamoJournal(client=dynamodb, table=table),
        log=log,
        table=repair,
        inventory=inventory,
        clock=SystemClock(),
    )
    return Rebuilder(
        table=repair,
        inventory=inventory,
        surveyor=surveyor,
        log=log,
        outbox=DynamoLedgerOutbox(client=dynamodb, table=table),
        news=DynamoNews(client=dynamodb, table=table),
        clock=SystemClock(),
    )


def checks(ledger_name: str) -> list[tuple[str, Check]]:
    """What `indelible doctor` looks at in the ledger of this name. Raises NotFound when there is none.

    IAM: what the adapters name, all of it reading.
    """
    outputs = stack_outputs(client("cloudformation"), f"{ledger_name}-ledger")
    dynamodb, s3, clock = client("dynamodb"), client("s3"), SystemClock()
    table, bucket = outputs["TableName"], outputs["BucketName"]
    files = _log_files(outputs, s3, _pool())
    keys = _pinned_keys(outputs, files)
    log = LogReader(files=files, ledger_name=ledger_name, keys=keys.ring)
    deployment = AwsDeployment(clients=cache(client), ledger_name=ledger_name)
    chains = Chains(
        organisations=DynamoOrganisations(client=dynamodb, table=table, clock=clock),
        inventory=S3Inventory(client=s3, bucket=bucket),
        journal=DynamoJournal(client=dynamodb, table=table),
        records=S3Records(client=s3, bucket=bucket, pool=_pool(), clock=clock),
        register=DynamoLogHead(client=dynamodb, table=table),
        log=log,
        ledger_register=DynamoLedgerRegister(client=dynamodb, table=table),
        ledger_outbox=DynamoLedgerOutbox(client=dynamodb, table=table),
        anchors=S3Anchors(client=s3, bucket=bucket),
        deployment=deployment,
        workers=ThreadedWorkers(_pool()),
        clock=clock,
    )
    deployed = Deployed(deployment=deployment, log=log, keys=keys, files=files, clock=clock)
    return [*deployed.checks(), *chains.checks()]


def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="indelible")


def _log_files(outputs: Mapping[str, str], s3: Any, pool: ThreadPoolExecutor) -> S3LogFiles:  # noqa: ANN401 -- boto3
    retention = Retention(lock_mode=outputs["LockMode"], days=int(outputs["RetentionDays"]))
    return S3LogFiles(client=s3, bucket=outputs["BucketName"], retention=retention, pool=pool)


def _pinned_keys(outputs: Mapping[str, str], files: LogFiles) -> PinnedKeys:
    keys = kms_keys(client("kms"), outputs["SigningKeyIds"])
    return PinnedKeys(keys=keys, files=files, ledger_name=outputs["LedgerName"])


def anchor_workflow(ledger_name: str) -> AnchorWorkflow:
    """The workflow of the anchor's rounds of the ledger of this name. Raises NotFound when there is none.

    IAM: cloudformation:DescribeStacks, and what the adapter names.
    """
    outputs = stack_outputs(client("cloudformation"), f"{ledger_name}-anchor")
    return AnchorWorkflow(client=client("stepfunctions"), arn=outputs["AnchorStateMachineArn"])


@dataclass(frozen=True, slots=True)
class Evidence:
    """A bucket as an auditor reads it."""

    records: StoredRecords
    files: S3LogFiles


def evidence(bucket: str, *, profile: str | None = None, endpoint_url: str | None = None) -> Evidence:
    """The evidence bucket alone: no table, no key, no stack is asked.

    IAM: s3:ListBucket, s3:ListBucketVersions, s3:GetObject, s3:GetObjectVersion, s3:GetObjectRetention.
    """
    s3, credentials = s3_as(profile, endpoint_url)
    pool = _pool()
    records = S3Records(client=s3, bucket=bucket, pool=pool, clock=SystemClock())
    many = CrtRecords(records=records, client=s3, credentials=credentials)
    # The retention is for whoever writes, and nobody does.
    files = S3LogFiles(client=s3, bucket=bucket, retention=Retention("COMPLIANCE", 1), pool=pool)
    return Evidence(records=many, files=files)
