# SPDX-License-Identifier: Apache-2.0
"""Every function is built from its environment alone, with one client of each kind: each connects by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from benchmarks.cold_start import ENVIRONMENT, FUNCTIONS
from indelible.aws.clients import PRESIGNING, QUICK, STANDARD, WAITING
from indelible.aws.s3_probe import PROBE_CONFIG
from infra.bundling import ROOT
from tests.bootstrapped import MODULES, forget

TABLE = ("dynamodb", QUICK)
BUCKET = ("s3", STANDARD)
KEYS = ("kms", QUICK)
SECRETS = ("secretsmanager", QUICK)
EXPORTS = ("s3", PRESIGNING)

CLIENTS = {
    "record": [TABLE, BUCKET, SECRETS],
    "prove": [TABLE, BUCKET, KEYS, SECRETS],
    "verify": [TABLE, BUCKET, KEYS, SECRETS],
    "mcp": [TABLE, BUCKET, KEYS, SECRETS],
    "meta": [BUCKET, KEYS, ("s3", PROBE_CONFIG)],
    "export": [TABLE, BUCKET, SECRETS, EXPORTS, ("lambda", WAITING)],
    "pack": [BUCKET, KEYS, EXPORTS],
    "plan": [TABLE],
    "anchor": [TABLE, BUCKET, KEYS],
    "external": [BUCKET, KEYS],
}


@pytest.fixture(autouse=True)
def nothing_made_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    forget()
    yield
    forget()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_makes_one_client_of_each_kind(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: Counter[tuple[str, int]] = Counter()

    def client(service: str, *, region_name: str | None, config: Any) -> object:
        assert region_name == ENVIRONMENT["AWS_REGION"]
        made[service, id(config)] += 1
        return object()

    monkeypatch.setattr(boto3, "client", client)
    for builder in FUNCTIONS[name]:
        module, _, function = builder.partition(":")
        getattr(MODULES[module], function)()

    assert made == {(service, id(config)): 1 for service, config in CLIENTS[name]}


def test_all_functions_are_looked_at() -> None:
    assert set(FUNCTIONS) == set(CLIENTS) == {path.parent.name for path in (ROOT / "lambdas").glob("*/handler.py")}
