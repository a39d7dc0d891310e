# SPDX-License-Identifier: Apache-2.0
"""What recording costs in AWS calls, as botocore reports them; and the deployed function's settings."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import boto3
from rich.console import Console
from rich.progress import track

from benchmarks.events import Event
from indelible.domain.canonical import JsonObject
from indelible.domain.credentials import sign
from indelible.entry.operations import Caller
from local.deploy import create_org
from local.env import Outputs
from tests.e2e.helpers.calls import recorded
from tests.e2e.helpers.inprocess import wiring

progress = Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class Cost:
    """AWS calls of one way to record, for each thousand records."""

    how: str
    records: int
    calls_per_1000: dict[str, float]

    @property
    def total(self) -> float:
        """All operations together."""
        return round(sum(self.calls_per_1000.values()), 1)


def counted(
    outputs: Outputs, how: str, requests: Sequence[Sequence[Event]], variables: dict[str, str]
) -> tuple[Cost, Cost]:
    org = new_org(outputs)
    with recorded() as calls, wiring(outputs, variables) as bootstrap:
        recorder = bootstrap.record.record_api()
        for number, events in enumerate(track(requests, f"{how}, counting AWS calls", console=progress)):
            one = len(events) == 1
            body = {**(events[0] if one else {"events": list(events)}), "idempotency_key": str(number)}
            body["org_id"] = org["org_id"]
            body["signature"] = sign(body, org["hmac_secret"])
            (recorder.record if one else recorder.record_batch)(body, _caller())
        recording = calls.counts()
        calls.clear()
        asked: JsonObject = {"org_id": org["org_id"]}
        asked["signature"] = sign(asked, org["hmac_secret"])
        verdict = bootstrap.verify.verify_api().verify(asked, _caller())
        verifying = calls.counts()
    records = sum(len(events) for events in requests)
    if verdict.valid is not True or verdict.entries_checked != records:
        raise RuntimeError("what was recorded while counting does not verify")
    return Cost(how, records, _per_1000(recording, records)), Cost("verifying", records, _per_1000(verifying, records))


def _per_1000(counts: Counter[str], records: int) -> dict[str, float]:
    return {name: round(1000 * count / records, 1) for name, count in counts.most_common()}


def _caller() -> Caller:
    return Caller(claimed_org=None, deadline_ms=time.time_ns() // 1_000_000 + 27_000)


def new_org(outputs: Outputs) -> dict[str, str]:
    """An organisation for one pass: `org_id`, `key_id`, `hmac_secret`."""
    name = f"bench-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{time.time_ns() % 10**6:06d}"
    return create_org(name, outputs.ledger_name, urlsplit(outputs.endpoint_url).port or 0)


class RecordFunction:
    """The deployed record function's settings. An organisation's share is lifted meanwhile, and then as it was."""

    def __init__(self, outputs: Outputs) -> None:
        self._lambda = boto3.client(
            "lambda",
            endpoint_url=outputs.endpoint_url,
            region_name=outputs.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        pages = self._lambda.get_paginator("list_functions").paginate()
        found = next(f for page in pages for f in page["Functions"] if "RecordFunction" in f["FunctionName"])
        self._name = found["FunctionName"]
        self._before = dict(found["Environment"]["Variables"])
        self.variables = self._before | {"INDELIBLE_ORG_RATE": "10000", "INDELIBLE_ORG_BURST": "10000"}

    def __enter__(self) -> RecordFunction:
        self._set(self.variables)
        return self

    def __exit__(self, *_: object) -> None:
        self._set(self._before)

    def _set(self, variables: dict[str, str]) -> None:
        self._lambda.update_function_configuration(FunctionName=self._name, Environment={"Variables": variables})
