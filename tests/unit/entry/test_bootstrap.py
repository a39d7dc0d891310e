# SPDX-License-Identifier: Apache-2.0
"""Every function is built from its environment alone, with one client of each kind: each connects by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import boto3
import pytest

from benchmarks.cold_start import ENVIRONMENT, FUNCTIONS
from indelible.aws.clients import PRESIGNING, STANDARD, WAITING
from indelible.aws.s3_probe import PROBE_CONFIG
from indelible.entry import bootstrap
from infra.bundling import ROOT

MODULES = {one.name: import_module(f"{bootstrap.__name__}.{one.name}") for one in iter_modules(bootstrap.__path__)}

TABLE = ("dynamodb", STANDARD)
BUCKET = ("s3", STANDARD)
KEYS = ("kms", STANDARD)
SECRETS = ("secretsmanager", STANDARD)
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
    "outside": [BUCKET, KEYS],
}


@pytest.fixture(autouse=True)
def nothing_made_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    _forget()
    yield
    _forget()


def _forget() -> None:
    for module in MODULES.values():
        for made_once in vars(module).values():
            if hasattr(made_once, "cache_clear"):
                made_once.cache_clear()


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
