# SPDX-License-Identifier: Apache-2.0
"""The published contract is the code's own: nothing in it is written twice, and nothing is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import jsonschema_rs
import pytest

from indelible import errors
from indelible.domain import credentials, event
from indelible.domain.canonical import canonical_bytes
from indelible.entry import meta_models, models, openapi
from indelible.entry import openapi_examples as examples
from indelible.entry.exporting import ExportApi
from indelible.entry.meta import Meta
from indelible.entry.openapi_routes import ROUTES
from indelible.entry.proving import ProofApi
from indelible.entry.recording import RecordApi
from indelible.entry.verifying import VerifyApi
from indelible.errors import InvalidRequest, LedgerError

ROOT = Path(__file__).parents[3]
DOCUMENT: dict[str, Any] = openapi.document()
ANY = cast("Any", SimpleNamespace())
OPERATIONS = [
    (method, path, operation) for path, item in DOCUMENT["paths"].items() for method, operation in item.items()
]


def validator(schema: dict[str, Any]) -> Any:
    return jsonschema_rs.validator_for(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "components": DOCUMENT["components"]},
        validate_formats=True,
    )


def takes(model: str, value: object) -> bool:
    return bool(validator({"$ref": f"#/components/schemas/{model}"}).is_valid(value))


def refused_by_code(value: dict[str, Any]) -> bool:
    try:
        event.from_arguments(value, event.validate(value, models.RecordRequest))
    except InvalidRequest:
        return True
    return False


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def test_the_checked_in_document_is_this_one() -> None:
    assert (ROOT / "docs" / "openapi.json").read_bytes() == openapi.encode(), "run `make openapi`"


def test_every_route_of_every_api_is_in_it_and_no_other() -> None:
    apis = (
        RecordApi(settings=ANY, gate=ANY, appender=ANY, secrets=ANY, clock=ANY),
        ProofApi(gate=ANY, prover=ANY, consistency=ANY),
        VerifyApi(gate=ANY, verifier=ANY),
        ExportApi(gate=ANY, jobs=ANY, acts=ANY, clock=ANY),
        Meta(settings=ANY, probe=ANY, keys=ANY, clock=ANY, telemetry=ANY),
    )
    served = {route for api in apis for route in api.routes}
    assert {f"{method.upper()} {path}" for method, path, _ in OPERATIONS} == served


def test_every_refusal_that_a_caller_can_meet_is_documented() -> None:
    everything = {
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LedgerError)
    } - {InvalidRequest, errors.OrgExists}
    assert set().union(*(route.errors for route in ROUTES)) == everything
    for kind in everything:
        told = {"error": {"code": kind.code, "message": "m", "retryable": kind.retryable}}
        assert takes(f"Error{kind.status}", told), kind
        assert not takes(f"Error{kind.status}", {"error": {**told["error"], "code": "SOMETHING_ELSE"}})


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
def test_each_status_names_its_codes(route: Any) -> None:
    method, path = route.key.split(" ")
    responses = DOCUMENT["paths"][path][method.lower()]["responses"]
    for kind in route.errors:
        if kind.status != route.other_status:
            assert f"`{kind.code}`" in responses[str(kind.status)]["description"]


def test_the_document_is_closed_and_its_schemas_are_sound() -> None:
    names = set(DOCUMENT["components"]["schemas"])
    for node in nodes(DOCUMENT):
        if "$ref" in node:
            section, name = node["$ref"].removeprefix("#/components/").split("/")
            assert name in DOCUMENT["components"][section]
    for name in names:
        validator({"$ref": f"#/components/schemas/{name}"})
    assert len({operation["operationId"] for _, _, operation in OPERATIONS}) == len(OPERATIONS)


def test_patterns_are_plain_enough_for_every_dialect() -> None:
    patterns = [node["pattern"] for node in nodes(DOCUMENT) if isinstance(node.get("pattern"), str)]
    assert patterns
    for pattern in patterns:
        assert not re.search(r"\(\?[^:]|\\[AZzb]|[*+?}][+]", pattern), pattern  # no look-around, flags, possessives


def test_examples_are_valid_and_really_signed() -> None:
    seen = 0
    for _, _, operation in OPERATIONS:
        media = [operation["requestBody"]["content"]["application/json"]] if "requestBody" in operation else []
        media += [r["content"]["application/json"] for r in operation["responses"].values() if "content" in r]
        for one in media:
            for example in one.get("examples", {}).values():
                validator(one["schema"]).validate(example["value"])
                seen += 1
    assert seen >= 8
    for asked in (route.request_example for route in ROUTES if route.request_example):
        assert asked["signature"] == credentials.sign(asked, examples.EXAMPLE_SECRET)


def test_the_recipe_gives_the_signature_that_it_prints() -> None:
    arguments = json.loads(examples.EXAMPLE_SIGNED)
    assert canonical_bytes(arguments).decode() == examples.EXAMPLE_SIGNED
    assert credentials.sign(arguments, examples.EXAMPLE_SECRET) == examples.EXAMPLE_SIGNATURE
    for text in (examples.EXAMPLE_SECRET, examples.EXAMPLE_SIGNED, examples.EXAMPLE_SIGNATURE):
        assert text in DOCUMENT["info"]["description"]


BASE = {"org_id": "acme-corp", "event_type": "X"}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"payload": {}},
        {"detail": {}},
        {"payload": {}, "detail": {}},
        {"timestamp": "2026-03-20T14:22:01Z"},
        {"timestamp": "2026-03-20T14:22:01Z", "occurred_at": "2026-03-20T14:22:01Z"},
        {"payload": []},
        {"level": "decision"},
        {"level": "decision", "reason": "because"},
        {"level": "decision", "reason": " "},
        {"level": "agent"},
        {"level": "boss"},
        {"reason": ""},
        {"reason": "\x1c"},
        {"reason": "\ufeff"},
        {"reason": "\x85 \u2003"},
        {"org_id": "acme-corp\n"},
        {"org_id": "Acme"},
        {"org_id": "a"},
        {"event_type": "X\n"},
        {"event_type": "a b"},
        {"event_type": "x" * 128},
        {"event_type": "x" * 129},
        {"occurred_at": "2026-03-20T14:22:01.481Z"},
        {"occurred_at": "2026-03-20 14:22:01Z"},
        {"occurred_at": "2026-03-20T14:22:01"},
        {"occurred_at": "2026-03-20"},
        {"occurred_at": None},
        {"signed_at": "2026-03-20T14:22:01+0000"},
        {"trace_id": ""},
        {"trace_id": "😀" * 256},
        {"trace_id": "😀" * 257},
        {"target": ""},
        {"target": None},
        {"key_id": ""},
        {"idempotency_key": "k" * 257},
        {"signature": 7},
        {"colour": "red"},
        {"aow_context": {"intent_id": "x"}},
        {"aow_context": {"goal": "x"}},
        {"regulatory": {"confidence": 1}},
        {"regulatory": {"confidence": 1.01}},
        {"regulatory": {"confidence": True}},
        {"regulatory": {"regulations": ["x"] * 65}},
        {"regulatory": {"human_override": {}}},
        {"regulatory": {"human_override": {"overridden": True, "reason": "\t"}}},
    ],
    ids=lambda change: json.dumps(change)[:40],
)
def test_schema_and_code_agree(change: dict[str, Any]) -> None:
    assert takes("RecordRequest", {**BASE, **change}) is not refused_by_code({**BASE, **change})


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ({"audit_id": "x"}, True),
        ({"tx_hash": "x"}, True),
        ({}, False),
        ({"audit_id": "x", "tx_hash": "x"}, False),
        ({"audit_id": ""}, False),
        ({"audit_id": "x" * 65}, False),
    ],
)
def test_a_proof_names_its_record_one_way(asked: dict[str, Any], taken: bool) -> None:
    assert takes("ProveRequest", {"org_id": "acme-corp", **asked}) is taken


def test_answers_have_all_their_members() -> None:
    for answer in (models.RecordResponse, models.VerifyResponse, meta_models.HealthResponse, meta_models.SigningKey):
        schema = DOCUMENT["components"]["schemas"][answer.__name__]
        assert set(schema["required"]) == set(schema["properties"])
    assert DOCUMENT["components"]["schemas"]["FailureModel"]["required"] == ["code", "sequence", "detail"]
