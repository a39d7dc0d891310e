# SPDX-License-Identifier: Apache-2.0
"""Wires adapters and services together for the command line.

Invariant: a deployed ledger is found by its name alone, from the outputs of its stacks. Credentials, region and
endpoint are those of the usual AWS environment variables.
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
from indelible.services.doctor import Check
from indelible.services.doctor_chains import ChainChecks
from indelible.services.doctor_deployment import DeploymentChecks
from indelible.services.holds import Holds
from indelible.services.keys import PinnedKeys
from indelible.services.log import LogReader
from indelible.services.rebuild import Rebuilder
from indelible.services.registry import Registry


def registry(ledger_name: str) -> Registry:
    """Manages organisations and keys of a ledger. Raises NotFound when there is no ledger of this name.

    IAM: cloudformation:DescribeStacks, sts:GetCallerIdentity, and what the adapters name.
    """
    outputs = _ledger_outputs(ledger_name)
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
    """Manages legal holds in the bucket of a ledger. Raises NotFound when there is none or it has another bucket.

    IAM: as for `registry`, and what the adapters name.
    """
    outputs = _ledger_outputs(ledger_name)
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
    """Rebuilds the table of a ledger from its bucket. Raises NotFound when there is no ledger of this name.

    IAM: cloudformation:DescribeStacks, and what the adapters name.
    """
    outputs = _ledger_outputs(ledger_name)
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
    """The checks of `indelible doctor`, by title. Raises NotFound when there is no ledger of this name.

    IAM: what the adapters name, read access only.
    """
    outputs = _ledger_outputs(ledger_name)
    dynamodb, s3, clock = client("dynamodb"), client("s3"), SystemClock()
    table, bucket = outputs["TableName"], outputs["BucketName"]
    files = _log_files(outputs, s3, _pool())
    keys = _pinned_keys(outputs, files)
    log = LogReader(files=files, ledger_name=ledger_name, keys=keys.ring)
    deployment = AwsDeployment(clients=cache(client), ledger_name=ledger_name)
    chains = ChainChecks(
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
    deployed = DeploymentChecks(deployment=deployment, log=log, keys=keys, files=files, clock=clock)
    return [*deployed.checks(), *chains.checks()]


def anchor_workflow(ledger_name: str) -> AnchorWorkflow:
    """The workflow that runs the anchor's rounds. Raises NotFound when there is no ledger of this name.

    IAM: cloudformation:DescribeStacks, and what the adapter names.
    """
    outputs = stack_outputs(client("cloudformation"), f"{ledger_name}-anchor")
    return AnchorWorkflow(client=client("stepfunctions"), arn=outputs["AnchorStateMachineArn"])


@dataclass(frozen=True, slots=True)
class Evidence:
    """Readers of an evidence bucket."""

    records: StoredRecords
    files: S3LogFiles


def evidence(bucket: str, *, profile: str | None = None, endpoint_url: str | None = None) -> Evidence:
    """Readers of an evidence bucket for an auditor, who has access to the bucket only.

    IAM: s3:ListBucket, s3:ListBucketVersions, s3:GetObject, s3:GetObjectVersion, s3:GetObjectRetention.
    """
    s3, credentials = s3_as(profile, endpoint_url)
    pool = _pool()
    records = S3Records(client=s3, bucket=bucket, pool=pool, clock=SystemClock())
    many = CrtRecords(records=records, client=s3, credentials=credentials)
    # Required by the adapter for writing; an auditor only reads.
    files = S3LogFiles(client=s3, bucket=bucket, retention=Retention("COMPLIANCE", 1), pool=pool)
    return Evidence(records=many, files=files)


def _ledger_outputs(ledger_name: str) -> Mapping[str, str]:
    return stack_outputs(client("cloudformation"), f"{ledger_name}-ledger")


def _retention(outputs: Mapping[str, str]) -> Retention:
    return Retention(lock_mode=outputs["LockMode"], days=int(outputs["RetentionDays"]))


def _secrets(outputs: Mapping[str, str]) -> SecretsManagerSource:
    return SecretsManagerSource(client=client("secretsmanager"), secret_id=outputs["SecretArn"])


def _admin_log(
    outputs: Mapping[str, str], organisations: Organisations, secrets: SecretSource, pool: ThreadPoolExecutor
) -> AdminLog:
    """Records administrative acts. The actor is the AWS principal that the credentials belong to."""
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
        retention=_retention(outputs),
        actor=client("sts").get_caller_identity()["Arn"],
    )


def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="indelible")


def _log_files(outputs: Mapping[str, str], s3: Any, pool: ThreadPoolExecutor) -> S3LogFiles:  # noqa: ANN401 -- boto3
    return S3LogFiles(client=s3, bucket=outputs["BucketName"], retention=_retention(outputs), pool=pool)


def _pinned_keys(outputs: Mapping[str, str], files: LogFiles) -> PinnedKeys:
    keys = kms_keys(client("kms"), outputs["SigningKeyIds"])
    return PinnedKeys(keys=keys, files=files, ledger_name=outputs["LedgerName"])
