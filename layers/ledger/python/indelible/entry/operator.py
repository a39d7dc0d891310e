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
from indelible.aws.s3_holds import S3LegalHolds
from indelible.aws.s3_inventory import S3Inventory
from indelible.aws.s3_log_files import S3LogFiles
from indelible.aws.s3_records import S3Records
from indelible.aws.secrets import SecretsManagerSource
from indelible.aws.stack_outputs import stack_outputs
from indelible.domain.record import Retention
from indelible.entry.machine import NoTelemetry, SystemClock, SystemEntropy, ThreadedWorkers
from indelible.errors import NotFound
from indelible.ports import LogFiles, Organisations, SecretSource, StoredRecords
from indelible.services.admin_log import AdminLog
from indelible.services.append import Appender
from indelible.services.chain_replay import ChainReplayer
from indelible.services.doctor import Check, Deployed
from indelible.services.doctor_chains import Chains
from indelible.services.holds import Holds
from indelible.services.keys import PinnedKeys
from indelible.services.log import LogReader
from indelible.services.rebuild import Rebuilder
from indelible.services.registry import Registry


def registry(ledger_name: str) -> Registry:
    """Organisations and keys of the ledger of this name. Raises NotFound when there is none.

    IAM: cloudformation:DescribeStacks, sts:GetCallerIdentity, and what the adapters name.
    """
    outputs = stack_outputs(client("cloudformation"), f"{ledger_name}-ledger")
    clock, dynamodb = SystemClock(), client("dynamodb")
    table = outputs["TableName"]
    organisations = DynamoOrganisations(client=dynamodb, table=table, clock=clock)
    secrets = _secrets(outputs)
    journal = DynamoJournal(client=dynamodb, table=table)
    return Registry(
        organisations=organisations,
        secrets=secrets,
        clock=clock,
        admin_log=_admin_log(outputs, organisations, secrets, _pool()),
        journal=journal,
        log=DynamoLogHead(client=dynamodb, table=table),
        ledger_days=int(outputs["RetentionDays"]),
    )


def holds(ledger_name: str, bucket: str) -> Holds:
    """Legal holds in the bucket of the ledger of this name. Raises NotFound when that is not its bucket.

    IAM: as for `registry`, and what the adapters name.
    """
    outputs = stack_outputs(client("cloudformation"), f"{ledger_name}-ledger")
    if outputs["BucketName"] != bucket:
        raise NotFound(f"{bucket} is not the bucket of the ledger {ledger_name}; --ledger names another")
    s3, clock, pool, secrets = client("s3"), SystemClock(), _pool(), _secrets(outputs)
    organisations = DynamoOrganisations(client=client("dynamodb"), table=outputs["TableName"], clock=clock)
    anchors = S3Anchors(client=s3, bucket=bucket)
    return Holds(
        records=S3Records(client=s3, bucket=bucket, pool=pool, clock=clock),
        files=_log_files(outputs, s3, pool),
        anchored=lambda at_least: ((one.size, one.file) for one in anchors.stored(at_least=at_least)),
        flags=S3LegalHolds(client=s3, bucket=bucket),
        admin_log=_admin_log(outputs, organisations, secrets, pool),
        secrets=secrets,
        workers=ThreadedWorkers(pool),
        clock=clock,
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
    replayer = ChainReplayer(
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
        replayer=replayer,
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


def _secrets(outputs: Mapping[str, str]) -> SecretsManagerSource:
    return SecretsManagerSource(client=client("secretsmanager"), secret_id=outputs["SecretArn"])


def _admin_log(
    outputs: Mapping[str, str], organisations: Organisations, secrets: SecretSource, pool: ThreadPoolExecutor
) -> AdminLog:
    """In the name of whoever the credentials belong to."""
    dynamodb, table = client("dynamodb"), outputs["TableName"]
    appender = Appender(
        journal=DynamoJournal(client=dynamodb, table=table),
        records=S3Records(client=client("s3"), bucket=outputs["BucketName"], pool=pool, clock=SystemClock()),
        index=DynamoIndex(client=dynamodb, table=table),
        news=DynamoNews(client=dynamodb, table=table),
        clock=SystemClock(),
        entropy=SystemEntropy(),
        workers=ThreadedWorkers(pool),
        telemetry=NoTelemetry(),
    )
    return AdminLog(
        appender=appender,
        organisations=organisations,
        secrets=secrets,
        clock=SystemClock(),
        retention=Retention(lock_mode=outputs["LockMode"], days=int(outputs["RetentionDays"])),
        actor=client("sts").get_caller_identity()["Arn"],
    )


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
