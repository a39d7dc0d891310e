# SPDX-License-Identifier: Apache-2.0
"""Schemathesis against the deployed API: whatever it thinks of, the answer is one that docs/openapi.json has.

Invariant: a signed body that the published schema takes is refused only for what no schema can say; one that it
refuses is refused by name; nothing is ever a 5xx. `make fuzz` does the same ten times longer, with fresh luck.
"""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import jsonschema_rs
import pytest
import rfc8785
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.env import Outputs
from tests.e2e.helpers.tenant import Tenant, fresh, http, signature

ASKED = int(os.environ.get("INDELIBLE_FUZZ_CASES", "0"))
CASES = ASKED or 320
POSTS = ["/v1/record", "/v1/record/batch", "/v1/prove", "/v1/consistency", "/v1/verify"]
GETS = ["/health", "/v1/keys", "/openapi.json"]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
WELL_FORMED, MALFORMED = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
SHARE = {WELL_FORMED: 0.7, MALFORMED: 0.3}
AFTER_AUTHENTICATION = {200, 404, 409, 429}
# What a schema cannot say and docs/rest.md does: numbers beyond 2^53−1, depth, ends of a range, leap seconds.
BEYOND_SCHEMAS = {"INVALID_NUMBER", "NESTING_TOO_DEEP", "INVALID_STRING"}
RANGE = {"end_seq", "to", "old_size"}
ORGANISATIONS = 24


@dataclass
class Tally:
    """What came of the cases of one test."""

    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        return self.statuses.total()

    @property
    def authenticated(self) -> int:
        return sum(count for status, count in self.statuses.items() if status in AFTER_AUTHENTICATION)


@pytest.fixture(scope="module")
def document(ledger: Outputs) -> dict[str, Any]:
    """As it is served, not as it is checked in: a unit test holds the two together."""
    answer = http().get(f"{ledger.api_url}/openapi.json")
    assert answer.status_code == 200
    served: dict[str, Any] = answer.json()
    return served


@pytest.fixture(scope="module")
def schema(document: dict[str, Any]) -> Any:
    return schemathesis.openapi.from_dict(document)


@pytest.fixture(scope="module")
def tenants(ledger: Outputs) -> Iterator[tuple[Tenant, str]]:
    """In turn, so that no organisation uses up its share of requests; each with the audit_id of a record."""
    organisations = [fresh(ledger, "fuzz") for _ in range(ORGANISATIONS)]
    return itertools.cycle([(one, one.record()["audit_id"]) for one in organisations])


@pytest.fixture(scope="module")
def takes(document: dict[str, Any]) -> Callable[[str, Any], bool]:
    """Whether the published schema of a route takes a body."""
    validators = {
        path: jsonschema_rs.validator_for(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "components": document["components"],
                **document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"],
            },
            validate_formats=True,
        )
        for path in POSTS
    }
    return lambda path, body: bool(validators[path].is_valid(body))


def _prepare(case: Any, tenant: Tenant, known: str | None) -> None:
    """Make it the tenant's own, as a client would have sent it; what was wrong with it stays wrong.

    With `known`, it asks for that record, has only numbers that the ledger takes, and no range of time that ends
    before it begins: what no schema can say.
    """
    if not isinstance(case.body, dict):
        return
    body = dict(case.body)
    if re.fullmatch(r"[a-z0-9][a-z0-9-]{1,62}", str(body.get("org_id"))):
        body["org_id"] = tenant.org_id
    for name in ("key_id", "signed_at"):  # any other would be refused, rightly, and nothing else would be tried
        if isinstance(body.get(name), str) and len(body[name]) <= 64:
            del body[name]
    if known is not None:
        body = _tamed(body)
        if isinstance(body.get("audit_id"), str):
            body["audit_id"] = known
        if isinstance(body.get("from"), str):
            body.pop("to", None)
    ends = [body.get("start_seq"), body.get("end_seq")]
    if all(isinstance(end, int | float) for end in ends):
        body["start_seq"], body["end_seq"] = sorted(ends)
    if isinstance(body.get("signature", ""), str):
        try:
            body["signature"] = signature(body, tenant.hmac_secret)
        except (rfc8785.CanonicalizationError, RecursionError):
            body["signature"] = "0" * 64  # has no canonical form, so no signature
    case.body = body


def _tamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _tamed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_tamed(inner) for inner in value]
    if isinstance(value, int | float) and not abs(value) < 2**53:
        return 7
    return value


def _agrees(answer: httpx.Response, *, valid: bool) -> None:
    """The schema's word and the ledger's are the same."""
    if not valid:
        assert 400 <= answer.status_code < 500, answer.text
    elif answer.status_code == 400:
        error = answer.json()["error"]
        refused = error["code"] in BEYOND_SCHEMAS or error.get("field") in RANGE
        assert refused or "RFC 3339" in error["message"] or "RFC3339" in error["message"], answer.text


@pytest.mark.parametrize("mode", [WELL_FORMED, MALFORMED], ids=["well formed", "malformed"])
@pytest.mark.parametrize("path", POSTS)
def test_every_answer_is_documented(
    ledger: Outputs, schema: Any, takes: Any, tenants: Iterator[tuple[Tenant, str]], path: str, mode: GenerationMode
) -> None:
    tally, count = Tally(), int(CASES / len(POSTS) * SHARE[mode]) + 1

    @given(case=schema[path]["POST"].as_strategy(generation_mode=mode), exists=st.booleans())
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=not ASKED,  # the same cases each time, but for `make fuzz`
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any, exists: bool) -> None:
        tenant, known = next(tenants)
        _prepare(case, tenant, known if exists else None)
        if mode is WELL_FORMED:
            case.headers = {"X-Novus-Org-ID": tenant.org_id} if exists else {}
        answer = case.call(base_url=ledger.api_url)
        tally.statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)
        if isinstance(case.body, dict):
            _agrees(answer, valid=takes(path, case.body))

    ask()
    print(f"{path} {mode.name.lower()}: {tally.sent} cases, {dict(tally.statuses)}")
    assert tally.sent >= count
    if mode is WELL_FORMED:
        assert tally.authenticated >= 0.72 * tally.sent  # with the malformed ones: more than half of all


@pytest.mark.parametrize("path", GETS)
def test_what_anybody_may_ask_is_as_documented(ledger: Outputs, schema: Any, path: str) -> None:
    @given(case=schema[path]["GET"].as_strategy())
    @settings(max_examples=max(10, CASES // 100), deadline=None, database=None, derandomize=not ASKED)
    def ask(case: Any) -> None:
        case.call_and_validate(base_url=ledger.api_url, checks=CHECKS)

    ask()


def test_the_deployed_api_says_what_it_promised(ledger: Outputs) -> None:
    health = http().get(f"{ledger.api_url}/health").json()
    assert health == {
        "status": "healthy",
        "server": "indelible",
        "version": health["version"],
        "tools_available": 3,
        "s3_connected": True,
    }
    (key,) = http().get(f"{ledger.api_url}/v1/keys").json()["keys"]
    assert key["verifier_key"].startswith(f"{ledger.ledger_name}+{key['key_id']}+")
    first = http().get(f"{ledger.api_url}/openapi.json")
    again = http().get(f"{ledger.api_url}/openapi.json", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
