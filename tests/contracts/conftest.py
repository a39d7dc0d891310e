# SPDX-License-Identifier: Apache-2.0
"""The implementations. moto stands for AWS where it is faithful: create-only puts, versions, conditions, transactions.

It is no evidence for races, locks, checksums that S3 checks, or what an administrator may do: for those, tests/e2e.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws
from moto.s3.models import S3Backend

from indelible.aws.dynamo_index import DynamoIndex, DynamoNews
from indelible.aws.dynamo_journal import DynamoJournal
from indelible.aws.dynamo_ledger_log import DynamoLedgerOutbox, DynamoLedgerRegister
from indelible.aws.dynamo_log import DynamoLogHead
from indelible.aws.dynamo_orgs import DynamoOrganisations
from indelible.aws.dynamo_repair import DynamoRepair
from indelible.aws.dynamo_rounds import DynamoRoundStarts
from indelible.aws.s3_anchors import S3Anchors
from indelible.aws.s3_holds import S3LegalHolds
from indelible.aws.s3_inventory import S3Inventory
from indelible.aws.s3_log_files import S3LogFiles
from indelible.aws.s3_records import S3Records
from indelible.ports import (
    Index,
    Inventory,
    Journal,
    LedgerOutbox,
    LedgerRegister,
    LegalHolds,
    LogFiles,
    LogHead,
    News,
    Organisations,
    RecordStore,
    RoundStarts,
    TableRepair,
)
from indelible.ports.external import AnchorFiles
from tests.contracts import moto_s3
from tests.fakes.administrator import Administrator
from tests.fakes.chains import RETENTION
from tests.fakes.external import FakeAnchorFiles
from tests.fakes.holds import FakeLegalHolds
from tests.fakes.journal import FakeJournal
from tests.fakes.ledger import FakeLedgerOutbox, FakeLedgerRegister
from tests.fakes.log import FakeLogFiles, FakeLogHead
from tests.fakes.machine import ManualClock
from tests.fakes.records import FakeRecords
from tests.fakes.repair import FakeInventory, FakeRepair
from tests.fakes.table import FakeIndex, FakeNews, FakeOrganisations, FakeRoundStarts

BUCKET, TABLE = "evidence", "ledger"


@dataclass(frozen=True)
class Adapters:
    """One implementation of every port, on one bucket and one table, and a hand on the bucket itself."""

    records: RecordStore
    journal: Journal
    index: Index
    news: News
    register: LogHead
    files: LogFiles
    ledger_register: LedgerRegister
    ledger_outbox: LedgerOutbox
    starts: RoundStarts
    anchors: AnchorFiles
    flags: LegalHolds
    organisations: Callable[[], Organisations]
    repair: TableRepair
    inventory: Inventory
    clock: ManualClock
    put_over: Callable[[str, bytes], None]
    mark_deleted: Callable[[str], None]
    put_stranger: Callable[[str, bytes], None]


@pytest.fixture(params=["fakes", "aws on moto"])
def adapters(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Adapters]:
    """Every implementation, one after the other."""
    if request.param == "fakes":
        yield fakes()
        return
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(S3Backend, "list_object_versions", moto_s3.list_object_versions)
    with mock_aws(), ThreadPoolExecutor(4) as pool:
        yield _aws(pool)


def fakes() -> Adapters:
    """The in-memory ones."""
    records = FakeRecords()
    administrator = Administrator(records.bucket)
    organisations = FakeOrganisations()
    journal, index, register = FakeJournal(records.bucket), FakeIndex(), FakeLogHead()
    ledger_register = FakeLedgerRegister()
    return Adapters(
        records=records,
        journal=journal,
        index=index,
        news=FakeNews(),
        register=register,
        files=FakeLogFiles(records.bucket),
        ledger_register=ledger_register,
        ledger_outbox=FakeLedgerOutbox(),
        starts=FakeRoundStarts(),
        anchors=FakeAnchorFiles(records.bucket),
        flags=FakeLegalHolds(records.bucket),
        organisations=lambda: organisations,
        repair=FakeRepair(records.bucket, journal, register, index, organisations, ledger_register),
        inventory=FakeInventory(records.bucket),
        clock=ManualClock(),
        put_over=administrator.lay_newer_version,
        mark_deleted=administrator.lay_delete_marker,
        put_stranger=lambda key, data: administrator.insert(key, data, None),
    )


def _aws(pool: ThreadPoolExecutor) -> Adapters:
    s3, dynamodb = _client("s3"), _client("dynamodb")
    s3.create_bucket(
        Bucket=BUCKET,
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    clock = ManualClock()

    def put(key: str, data: bytes) -> None:
        s3.put_object(Bucket=BUCKET, Key=key, Body=data, ChecksumAlgorithm="SHA256")

    def mark_deleted(key: str) -> None:
        if s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["KeyCount"]:
            s3.delete_object(Bucket=BUCKET, Key=key)
            return
        # S3 marks what is not there, too; moto only what is.
        version_id = s3.put_object(Bucket=BUCKET, Key=key, Body=b"", ChecksumAlgorithm="SHA256")["VersionId"]
        s3.delete_object(Bucket=BUCKET, Key=key)
        s3.delete_object(Bucket=BUCKET, Key=key, VersionId=version_id)

    return Adapters(
        records=S3Records(client=s3, bucket=BUCKET, pool=pool, clock=clock),
        journal=DynamoJournal(client=dynamodb, table=TABLE),
        index=DynamoIndex(client=dynamodb, table=TABLE),
        news=DynamoNews(client=dynamodb, table=TABLE),
        register=DynamoLogHead(client=dynamodb, table=TABLE),
        files=S3LogFiles(client=s3, bucket=BUCKET, retention=RETENTION, pool=pool),
        ledger_register=DynamoLedgerRegister(client=dynamodb, table=TABLE),
        ledger_outbox=DynamoLedgerOutbox(client=dynamodb, table=TABLE),
        starts=DynamoRoundStarts(client=dynamodb, table=TABLE),
        anchors=S3Anchors(client=s3, bucket=BUCKET),
        flags=S3LegalHolds(client=s3, bucket=BUCKET),
        organisations=lambda: DynamoOrganisations(client=dynamodb, table=TABLE, clock=clock),
        repair=DynamoRepair(client=dynamodb, table=TABLE),
        inventory=S3Inventory(client=s3, bucket=BUCKET),
        clock=clock,
        put_over=put,
        mark_deleted=mark_deleted,
        put_stranger=put,
    )


@cache
def _client(service: str) -> Any:
    """One for all tests: each meets a moto that has forgotten everything, and making clients takes longer than that."""
    config = Config(
        region_name="eu-central-1",
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        max_pool_connections=8,
    )
    session = boto3.session.Session("testing", "testing")
    client: Any = session.client(service, config=config)  # type: ignore[call-overload]
    # moto asks for this header where S3 takes the checksum itself as proof enough.
    client.meta.events.register("before-call.s3.PutObject", _name_the_algorithm)
    return client


def _name_the_algorithm(params: dict[str, Any], **_: Any) -> None:
    params["headers"]["x-amz-sdk-checksum-algorithm"] = "SHA256"
