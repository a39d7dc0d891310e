# SPDX-License-Identifier: Apache-2.0
"""The REST API answers everything, names what it refuses, and lets nothing through that it should not say."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from indelible.domain import credentials
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.domain.proof import parse_tlog_proof, verify_tlog_proof
from indelible.entry import gateway, rest
from indelible.entry.env import Settings
from indelible.entry.gate import RequestGate
from indelible.entry.limits import OrgLimits
from indelible.entry.proving import ProofApi
from indelible.entry.recording import RecordApi
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.entry.verifying import VerifyApi
from indelible.errors import Unavailable
from indelible.services.authenticate import Authenticator
from indelible.services.consistency import Consistency
from tests.fakes.table import FakeOrganisations, FakeSecretSource
from tests.fakes.world import World

ORG = "acme-corp"
MASTER = b"a master secret for tests"
EVENT = {"event_type": "AGENT_DECISION", "payload": {"decision": "APPROVED"}}


@dataclass
class Context:
    aws_request_id: str = "req-1"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


class Api:
    """Recording, proving and verifying in one API, on the in-memory world."""

    def __init__(self, *, strict: bool = False, burst: int = 1000) -> None:
        self.world = World()
        organisations = FakeOrganisations()
        organisations.create(OrgConfig(ORG, "2026-01-01T00:00:00.000Z", (OrgKey("k1", "2026-01-01T00:00:00.000Z"),)))
        secrets = FakeSecretSource(MASTER)
        authenticator = Authenticator(
            organisations=organisations, secrets=secrets, clock=self.world.clock, strict=strict
        )
        settings = Settings(
            ledger_name="indelible", bucket="bucket", table="table", lock_mode="COMPLIANCE", retention_days=2555
        )
        gate = RequestGate(authenticator=authenticator, limits=OrgLimits(rate=1, burst=burst))
        recorder = RecordApi(
            settings=settings,
            gate=gate,
            appender=self.world.appender(),
            secrets=secrets,
            clock=self.world.clock,
        )
        prover = ProofApi(
            gate=gate,
            prover=self.world.prover(),
            consistency=Consistency(self.world.log()),
        )
        verifier = VerifyApi(gate=gate, verifier=self.world.verifier())
        self.routes = {**recorder.routes, **prover.routes, **verifier.routes}


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")


def signed(arguments: dict[str, Any], **more: Any) -> dict[str, Any]:
    full = {"org_id": ORG, **arguments, **more}
    return {**full, "signature": credentials.sign(full, credentials.hmac_secret(MASTER, ORG, "k1"))}


def call(
    api: Any, route: str, body: Any, *, headers: dict[str, str] | None = None, encoded: bool = False
) -> tuple[int, dict[str, Any]]:
    text = body if isinstance(body, str) else json.dumps(body)
    event = {
        "routeKey": route,
        "headers": headers or {},
        "body": base64.b64encode(text.encode("utf-8", "surrogatepass")).decode() if encoded else text,
        "isBase64Encoded": encoded,
    }
    answer = rest.serve(event, Context(), api=lambda: api, telemetry=PowertoolsTelemetry(), clock=Api().world.clock)
    assert answer["headers"]["content-type"] == "application/json"
    return answer["statusCode"], json.loads(answer["body"])


def test_record_then_prove_then_verify(api: Api) -> None:
    status, answer = call(api, "POST /v1/record", signed(EVENT))
    assert (status, answer["status"]) == (200, "recorded")
    receipt = answer["receipt"]
    assert receipt["sequence"] == 1
    assert receipt["prev_hash"] == "GENESIS"
    status, proof = call(api, "POST /v1/prove", signed({"audit_id": receipt["audit_id"]}))
    assert status == 200
    assert proof["receipt"] == receipt
    assert proof["record"]["event"] == EVENT
    assert proof["storage"]["sha256"] == proof["tx_hash"] == receipt["tx_hash"]
    assert (proof["block_height"], proof["anchoring"], proof["inclusion"]) == (None, "pending", None)
    status, verdict = call(api, "POST /v1/verify", signed({}))
    assert (status, verdict["valid"], verdict["entries_checked"]) == (200, True, 1)
    assert verdict["checkpoint"] is None


def test_once_anchored_the_answers_name_the_checkpoint(api: Api) -> None:
    receipts = [call(api, "POST /v1/record", signed(EVENT))[1]["receipt"] for _ in range(3)]
    api.world.anchored()
    root = api.world.log().opened(ORG, 3).checkpoint.root.hex()
    checkpoint = {"origin": f"indelible/{ORG}", "tree_size": 3, "root_hash": root}

    _, proof = call(api, "POST /v1/prove", signed({"audit_id": receipts[1]["audit_id"]}))
    _, verdict = call(api, "POST /v1/verify", signed({}))

    assert (proof["block_height"], proof["anchoring"]) == (3, "anchored")
    assert (proof["inclusion"]["checkpoint"], proof["inclusion"]["leaf_index"]) == (checkpoint, 1)
    verify_tlog_proof(
        parse_tlog_proof(proof["inclusion"]["tlog_proof"]),
        bytes.fromhex(receipts[1]["tx_hash"]),
        origin=f"indelible/{ORG}",
        public_keys=[api.world.signer.public_key()],
    )
    assert (verdict["valid"], verdict["checkpoint"]) == (True, checkpoint)


def test_a_body_in_base64_is_read_like_any_other(api: Api) -> None:
    assert call(api, "POST /v1/record", signed(EVENT), encoded=True)[0] == 200


def test_batch_gives_a_receipt_for_each_event_in_order(api: Api) -> None:
    batch = signed({"events": [{**EVENT, "payload": {"n": n}} for n in range(3)]})
    status, answer = call(api, "POST /v1/record/batch", batch)
    assert status == 200
    assert [receipt["sequence"] for receipt in answer["receipts"]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ("", 400, "INVALID_JSON", "body"),
        ("{", 400, "INVALID_JSON", "body"),
        ("[]", 400, "INVALID_JSON", "body"),
        ('{"a": 1, "a": 2}', 400, "DUPLICATE_KEY", "a"),
        ('{"payload": {"x": NaN}}', 400, "INVALID_NUMBER", "payload.x"),
        ('{"payload": {"x": 9007199254740992}}', 400, "INVALID_NUMBER", "payload.x"),
        ('{"payload": {"x": 1e400}}', 400, "INVALID_NUMBER", "payload.x"),
        ('{"payload": ["\\ud800"]}', 400, "INVALID_STRING", "payload[0]"),
        ('{"payload": ' + '{"a":' * 200 + "1" + "}" * 200 + "}", 400, "NESTING_TOO_DEEP", None),
        ("[" * 100_000, 400, "NESTING_TOO_DEEP", "body"),
        ({"org_id": ORG}, 400, "MISSING_FIELD", "event_type"),
        (EVENT, 400, "MISSING_FIELD", "org_id"),
        ({**EVENT, "org_id": ORG}, 400, "MISSING_FIELD", "signature"),
        ({**EVENT, "org_id": "../etc"}, 400, "INVALID_FIELD", "org_id"),
        ({**EVENT, "org_id": "ACME"}, 400, "INVALID_FIELD", "org_id"),
        ({**EVENT, "org_id": "acme-corp\n"}, 400, "INVALID_FIELD", "org_id"),
        ({**EVENT, "org_id": ORG, "colour": "red"}, 400, "UNKNOWN_FIELD", "colour"),
        ({**EVENT, "org_id": ORG, "level": "boss"}, 400, "INVALID_FIELD", "level"),
        ({**EVENT, "org_id": ORG, "level": "decision"}, 400, "MISSING_FIELD", "reason"),
        ({**EVENT, "org_id": ORG, "detail": {}}, 400, "INVALID_FIELD", "detail"),
        ({**EVENT, "org_id": ORG, "payload": "text"}, 400, "INVALID_FIELD", "payload"),
        ({**EVENT, "org_id": ORG, "signature": "0" * 64}, 401, "UNAUTHENTICATED", "signature"),
        ({**EVENT, "org_id": "nobody", "signature": "0" * 64}, 401, "UNAUTHENTICATED", "signature"),
    ],
)
def test_bad_input_is_named(api: Api, body: Any, status: int, code: str, field: str | None) -> None:
    got, answer = call(api, "POST /v1/record", body)
    assert (got, answer["error"]["code"], answer["error"]["retryable"]) == (status, code, False)
    assert answer["error"]["field"] == field or (field is None and answer["error"]["field"])
    assert list(api.world.records.versions(ORG, after=f"{ORG}/")) == []


def test_an_unknown_level_is_told_which_are_known(api: Api) -> None:
    _, answer = call(api, "POST /v1/record", {**EVENT, "org_id": ORG, "level": "s3cret"})
    assert "pipeline, agent, decision" in answer["error"]["message"]
    assert "s3cret" not in json.dumps(answer)


def test_a_fault_in_a_batch_names_its_event(api: Api) -> None:
    batch = signed({"events": [EVENT, {**EVENT, "level": "decision"}]})
    status, answer = call(api, "POST /v1/record/batch", batch)
    assert (status, answer["error"]["field"]) == (400, "events[1].reason")


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_has_one_to_a_hundred_events(api: Api, count: int) -> None:
    status, answer = call(api, "POST /v1/record/batch", signed({"events": [EVENT] * count}))
    assert (status, answer["error"]["field"]) == (400, "events")


def test_too_large_a_body_and_too_large_a_record(api: Api) -> None:
    status, answer = call(api, "POST /v1/record", "x" * (gateway.MAX_BODY_BYTES + 1))
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (413, "TOO_LARGE", "body")
    status, answer = call(api, "POST /v1/record", signed({**EVENT, "payload": {"text": "x" * 300 * 1024}}))
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (413, "TOO_LARGE", "payload")


def test_the_header_must_name_the_same_organisation(api: Api) -> None:
    status, answer = call(api, "POST /v1/record", signed(EVENT), headers={"X-Novus-Org-ID": "globex"})
    assert (status, answer["error"]["code"]) == (403, "ORG_MISMATCH")
    assert call(api, "POST /v1/record", signed(EVENT), headers={"x-novus-org-id": ORG})[0] == 200


def test_unknown_routes_are_refused_like_everything_else(api: Api) -> None:
    status, answer = call(api, "GET /v1/secrets", {})
    assert (status, answer["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"start_seq": 0}, "start_seq"),
        ({"start_seq": "1"}, "start_seq"),
        ({"start_seq": 3, "end_seq": 2}, "end_seq"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-03-20T00:00:00"}, "from"),
        ({"from": "2026-03-20T00:00:00Z", "to": "2026-03-19T00:00:00Z"}, "to"),
        ({"until": 3}, "until"),
    ],
)
def test_a_range_that_is_none_is_named(api: Api, asked: dict[str, Any], field: str) -> None:
    status, answer = call(api, "POST /v1/verify", signed(asked))
    assert (status, answer["error"]["field"]) == (400, field)


@pytest.mark.parametrize(
    ("asked", "field"),
    [({}, "audit_id"), ({"audit_id": "x", "tx_hash": "y"}, "tx_hash"), ({"audit_id": 7}, "audit_id")],
)
def test_prove_wants_exactly_one_name(api: Api, asked: dict[str, Any], field: str) -> None:
    status, answer = call(api, "POST /v1/prove", signed(asked))
    assert (status, answer["error"]["field"]) == (400, field)


def test_what_does_not_exist_and_what_is_no_id_look_the_same(api: Api) -> None:
    asked = [
        {"audit_id": "not an id"},
        {"audit_id": "019d09e8-7109-8000-8000-000400000005"},
        {"tx_hash": "0" * 64},
        {"tx_hash": "../globex"},
    ]
    answers = {json.dumps(call(api, "POST /v1/prove", signed(one))) for one in asked}
    assert len(answers) == 1
    assert '[404, {"error": {"code": "NOT_FOUND"' in answers.pop()


def test_strict_mode_wants_time_and_key() -> None:
    api = Api(strict=True)
    assert call(api, "POST /v1/record", signed(EVENT))[1]["error"]["field"] == "signed_at"
    now = "2026-03-20T00:00:00Z"
    assert call(api, "POST /v1/record", signed(EVENT, signed_at=now))[1]["error"]["field"] == "idempotency_key"


def test_a_bug_is_logged_and_says_nothing(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    broken = SimpleNamespace(routes={"POST /v1/record": lambda _arguments, _caller: 1 / 0})
    status, answer = call(broken, "POST /v1/record", {"payload": {"name": "confidential"}})
    assert (status, answer["error"]["code"], answer["error"]["retryable"]) == (500, "INTERNAL", False)
    assert "req-1" in answer["error"]["message"]
    assert "ZeroDivisionError" in caplog.text
    assert "confidential" not in caplog.text
    assert "UnexpectedErrors" in capsys.readouterr().out


def test_what_may_be_tried_again_says_when() -> None:
    def out(_arguments: Any, _caller: Any) -> Any:
        raise Unavailable("S3 could not be reached")

    api = SimpleNamespace(routes={"POST /v1/record": out})
    event = {"routeKey": "POST /v1/record", "headers": {}, "body": "{}"}
    answer = rest.serve(event, Context(), api=lambda: api, telemetry=PowertoolsTelemetry(), clock=Api().world.clock)
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "1")


def test_an_organisation_has_its_share_and_strangers_do_not_take_from_it() -> None:
    api = Api(burst=100)
    stranger = {**EVENT, "org_id": ORG, "signature": "0" * 64}
    assert [call(api, "POST /v1/record", stranger)[0] for _ in range(3)] == [401] * 3
    assert call(api, "POST /v1/record/batch", signed({"events": [EVENT] * 100}))[0] == 200
    status, answer = call(api, "POST /v1/verify", signed({}))
    assert (status, answer["error"]["code"], answer["error"]["retryable"]) == (429, "TOO_MANY_REQUESTS", True)
