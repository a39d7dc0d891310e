# SPDX-License-Identifier: Apache-2.0
"""Shape, then authentication, then the share: no later step is taken for a request that an earlier one refuses."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.domain import credentials
from indelible.domain.canonical import JsonObject
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.entry.gate import RequestGate
from indelible.entry.limits import OrgLimits
from indelible.entry.operations import Caller
from indelible.errors import InvalidField, LedgerError, OrgMismatch, TooManyRequests, Unauthenticated
from indelible.services.authenticate import Authenticator
from tests.architecture.source import LAYER, imports, module_name
from tests.fakes.machine import ManualClock
from tests.fakes.table import FakeOrganisations, FakeSecretSource

ORG = "acme-corp"
SECRETS = FakeSecretSource()
CALLER = Caller(claimed_org=None, deadline_ms=0)


class Bench:
    """A gate, and the steps that were taken behind it."""

    def __init__(self, *, burst: int = 10) -> None:
        self.steps: list[object] = []
        organisations = FakeOrganisations()
        organisations.create(OrgConfig(ORG, "2026-01-01T00:00:00.000Z", (OrgKey("k1", "2026-01-01T00:00:00.000Z"),)))
        authenticator = Authenticator(organisations=organisations, secrets=SECRETS, clock=ManualClock(), strict=False)
        self.gate = RequestGate(authenticator=authenticator, limits=OrgLimits(rate=1, burst=burst))

    def parse(self, arguments: JsonObject) -> int:
        self.steps.append("parse")
        if arguments["size"] == "wrong":
            raise InvalidField("must be a number", field="size")
        return int(str(arguments["size"]))

    def cost(self, size: int) -> int:
        self.steps.append(("cost", size))
        return size

    def admit(self, arguments: dict[str, Any], caller: Caller = CALLER) -> tuple[int, OrgConfig]:
        return self.gate.admit(arguments, caller, self.parse, writes=False, cost=self.cost)


def signed(size: object) -> dict[str, Any]:
    full = {"org_id": ORG, "size": size}
    return {**full, "signature": credentials.sign(full, credentials.hmac_secret(SECRETS.master(), ORG, "k1"))}


def test_an_admitted_request_comes_with_its_organisation() -> None:
    bench = Bench()
    request, org = bench.admit(signed(7))
    assert (request, org.org_id) == (7, ORG)
    assert bench.steps == ["parse", ("cost", 7)]


@pytest.mark.parametrize(
    ("arguments", "caller", "error", "steps"),
    [
        ({"org_id": ORG, "size": "wrong", "signature": "0" * 64}, CALLER, InvalidField, ["parse"]),
        ({"org_id": "unknown", "size": "wrong", "signature": ""}, CALLER, InvalidField, ["parse"]),
        ({"org_id": ORG, "size": 7, "signature": "0" * 64}, CALLER, Unauthenticated, ["parse"]),
        ({"org_id": ORG, "size": 7, "signature": ""}, Caller("globex", 0), OrgMismatch, ["parse"]),
        (signed(11), CALLER, TooManyRequests, ["parse", ("cost", 11)]),
    ],
    ids=["shape", "shape, unknown organisation", "signature", "header", "share"],
)
def test_the_first_step_that_refuses_is_the_last(
    arguments: dict[str, Any], caller: Caller, error: type[LedgerError], steps: list[object]
) -> None:
    bench = Bench()
    with pytest.raises(error):
        bench.admit(arguments, caller)
    assert bench.steps == steps


def test_no_operation_has_a_way_around_the_gate() -> None:
    steps = {"indelible.services.authenticate.Authenticator", "indelible.entry.limits.OrgLimits"}
    found = {module_name(file) for file in (LAYER / "entry").rglob("*.py") if steps & set(imports(file))}
    assert found == {"indelible.entry.gate", "indelible.entry.bootstrap.callers"}


def test_only_admitted_requests_are_charged() -> None:
    bench = Bench(burst=10)
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            bench.admit({"org_id": ORG, "size": 10, "signature": "0" * 64})
    _, org = bench.admit(signed(8))
    bench.gate.charge(org, 2)
    with pytest.raises(TooManyRequests):
        bench.gate.charge(org, 2)
