# SPDX-License-Identifier: Apache-2.0
"""The account's administrator: sees everything in bucket and table, and may do whatever the emulator lets them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import boto3

from indelible.domain import instants
from indelible.domain.record import Head
from local.env import Outputs

T = TypeVar("T")


@dataclass(frozen=True)
class Footprint:
    """What an organisation has left anywhere: every object version and marker, and every item of its own."""

    versions: tuple[tuple[str, str], ...]
    items: tuple[tuple[str, str, str], ...]


class Admin:
    """AWS clients with full rights, and what the tests do with them."""

    def __init__(self, ledger: Outputs) -> None:
        self.ledger = ledger
        self.bucket = ledger.bucket
        self.table = ledger.table
        self.s3 = self.client("s3")
        self.dynamodb = self.client("dynamodb")

    @staticmethod
    @cache
    def of(ledger: Outputs) -> Admin:
        """One for each ledger: making clients takes longer than using them."""
        return Admin(ledger)

    def client(self, service: str) -> Any:
        """A client that reaches the emulator whatever the environment says."""
        return _session().client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.ledger.endpoint_url,
            region_name=self.ledger.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def function(self, name: str) -> str:
        """The full name of a function by its construct's: record, anchor, exportsPack."""
        pages = self.client("lambda").get_paginator("list_functions").paginate()
        found = [f["FunctionName"] for page in pages for f in page["Functions"]]
        own = (
            f for f in found if f.startswith((f"{self.ledger.ledger_name}-api-", f"{self.ledger.ledger_name}-anchor-"))
        )
        return next(f for f in own if f"{name[0].upper()}{name[1:]}Function" in f)

    def invoke(self, name: str, event: dict[str, Any]) -> dict[str, Any]:
        """Run a function and return its answer."""
        answer = self.client("lambda").invoke(FunctionName=self.function(name), Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return dict(payload)

    def anchor(self, *organisations: str) -> dict[str, Any]:
        """Run the anchor function for these, beside all rounds; its summary."""
        return self.invoke("anchor", {"organisations": list(organisations)})

    def ledger_log(self) -> dict[str, Any]:
        """Bring the ledger's own log up to date, as each round does at its end."""
        return self.invoke("anchor", {"log": "ledger"})

    def round(self, **asked: str) -> dict[str, Any]:
        """Run a whole round, as the schedule does; its summary."""
        states = self.client("stepfunctions")
        name = f":{self.ledger.ledger_name}-anchor"
        machines = [machine["stateMachineArn"] for machine in states.list_state_machines()["stateMachines"]]
        (machine,) = (arn for arn in machines if arn.endswith(name))
        execution = states.start_execution(stateMachineArn=machine, input=json.dumps(asked))["executionArn"]

        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = states.describe_execution(executionArn=execution)
            return None if found["status"] == "RUNNING" else found

        found = eventually(ended, seconds=120)
        assert found is not None, "the round did not end in two minutes"
        assert found["status"] == "SUCCEEDED", found
        return dict(json.loads(found["output"]))

    # -- looking ----------------------------------------------------------------------------------

    def item(self, pk: str, sk: str = "-") -> dict[str, Any] | None:
        """One item, consistently read."""
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        found: dict[str, Any] | None = self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True).get(
            "Item"
        )
        return found

    def head(self, org_id: str) -> int:
        """The head's sequence."""
        found = self.item(org_id, "HEAD")
        return int(found["sequence"]["N"]) if found else 0

    def waiting(self, org_id: str, last: int) -> list[int]:
        """Sequences up to `last` that are in the outbox."""
        return [n for n in range(1, last + 1) if self.item(f"{org_id}#OUTBOX#{n}")]

    def items(self) -> Iterator[dict[str, Any]]:
        """The whole table."""
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True):
            yield from page["Items"]

    def keys(self, org_id: str) -> list[str]:
        """Keys of an organisation's current records, in order; without its log, which lies below `_log/`."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{org_id}/")
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return [key for key in keys if not key.startswith(f"{org_id}/_")]

    def versions(self, prefix: str) -> list[dict[str, Any]]:
        """Object versions and delete markers under a prefix."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry for page in pages for entry in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]]

    def footprint(self, org_id: str) -> Footprint:
        """Everything that this organisation has left."""
        own = [
            entry for entry in self.items() if entry["pk"]["S"] == org_id or entry["pk"]["S"].startswith(f"{org_id}#")
        ]
        return Footprint(
            versions=tuple(sorted((v["Key"], v["VersionId"]) for v in self.versions(f"{org_id}/"))),
            items=tuple(sorted((e["pk"]["S"], e["sk"]["S"], json.dumps(e, default=str, sort_keys=True)) for e in own)),
        )

    def body(self, key: str, version_id: str | None = None) -> bytes:
        """The bytes of an object, current or of one version."""
        which = {"VersionId": version_id} if version_id else {}
        data: bytes = self.s3.get_object(Bucket=self.bucket, Key=key, **which)["Body"].read()
        return data

    # -- tampering --------------------------------------------------------------------------------

    def overlay(self, key: str, data: bytes) -> str:
        """Put a newer version over an object."""
        version: str = self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)["VersionId"]
        return version

    def hide(self, key: str) -> str:
        """`aws s3 rm`: a delete marker."""
        answer = self.s3.delete_object(Bucket=self.bucket, Key=key)
        assert answer["DeleteMarker"] is True
        return str(answer["VersionId"])

    def set_head(self, org_id: str, head: Head) -> None:
        """Make the table say that the chain ends here."""
        timestamp = instants.to_text(head.timestamp_ms)
        values = {"sequence": {"N": str(head.sequence)}, "tx_hash": {"S": head.tx_hash}, "timestamp": {"S": timestamp}}
        self.dynamodb.put_item(TableName=self.table, Item={"pk": {"S": org_id}, "sk": {"S": "HEAD"}, **values})

    @contextmanager
    def no_default_lock(self) -> Iterator[None]:
        """Meanwhile the bucket locks nothing by itself; whoever asks for a lock still gets it."""
        lock = self.s3.get_object_lock_configuration(Bucket=self.bucket)["ObjectLockConfiguration"]
        self.s3.put_object_lock_configuration(
            Bucket=self.bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
        )
        try:
            yield
        finally:
            self.s3.put_object_lock_configuration(Bucket=self.bucket, ObjectLockConfiguration=lock)


@cache
def _session() -> boto3.Session:
    """Not boto3's own, which tests watch."""
    return boto3.Session()


def eventually(look: Callable[[], T], *, seconds: float, every: float = 0.2) -> T:
    """Look until it is there (truthy); the last look's answer when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(every)
