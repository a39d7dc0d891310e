# SPDX-License-Identifier: Apache-2.0
"""The client signs requests, retries those that may succeed later, and never records twice."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import boto3
import httpx
import msgspec
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from indelible.aws.sigv4 import AwsIdentity
from indelible.client import BearerToken, LedgerClient, LedgerRefusal, StubLedgerClient, connect
from indelible.domain.credentials import sign
from indelible.entry.models import VerifyResponse

SECRET = "ab" * 32
RECEIPT = {"audit_id": "x", "sequence": 1}


def client(
    *answers: httpx.Response | Exception, key_id: str | None = None
) -> tuple[LedgerClient, list[dict[str, Any]]]:
    sent: list[dict[str, Any]] = []
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    made = LedgerClient("https://ledger.example", org_id="acme-corp", hmac_secret=SECRET, key_id=key_id)
    made._http = httpx.Client(transport=httpx.MockTransport(answer), base_url="https://ledger.example")
    return made, sent


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)


def refusal(status: int, code: str, *, retryable: bool) -> httpx.Response:
    error = {"code": code, "message": "no", "field": "payload", "retryable": retryable}
    return httpx.Response(status, json={"error": error})


def test_every_argument_is_signed() -> None:
    ledger, sent = client(httpx.Response(200, json={"status": "recorded", "receipt": RECEIPT}), key_id="k2")
    assert ledger.record({"event_type": "X"}) == RECEIPT
    [arguments] = sent
    assert arguments["signature"] == sign(arguments, SECRET)
    assert set(arguments) == {"event_type", "org_id", "key_id", "idempotency_key", "signed_at", "signature"}


def test_a_retry_keeps_the_idempotency_key() -> None:
    ledger, sent = client(
        refusal(503, "UNAVAILABLE", retryable=True),
        httpx.ReadTimeout("no answer"),
        httpx.Response(200, json={"status": "recorded", "receipt": RECEIPT}),
    )
    ledger.record({"event_type": "X"})
    assert len({arguments["idempotency_key"] for arguments in sent}) == 1
    assert len(sent) == 3


def test_a_refusal_is_not_tried_again() -> None:
    ledger, sent = client(refusal(400, "INVALID_FIELD", retryable=False))
    with pytest.raises(LedgerRefusal) as caught:
        ledger.record({"event_type": "X"})
    assert (caught.value.code, caught.value.field, caught.value.status, len(sent)) == (
        "INVALID_FIELD",
        "payload",
        400,
        1,
    )
    assert str(caught.value).startswith("INVALID_FIELD (payload): ")


def test_an_outage_is_given_up_after_some_attempts() -> None:
    ledger, sent = client(*[refusal(503, "NOT_SEALED", retryable=True)] * 9)
    with pytest.raises(LedgerRefusal, match="NOT_SEALED"):
        ledger.record({"event_type": "X"})
    assert len(sent) == 5


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_the_gateway_answers_for_a_function_that_did_not_is_tried_again(status: int) -> None:
    ledger, sent = client(
        httpx.Response(status, json={"message": "Internal Server Error"}),
        httpx.Response(200, json={"status": "recorded", "receipt": RECEIPT}),
    )
    ledger.record({"event_type": "X"})
    assert len({arguments["idempotency_key"] for arguments in sent}) == 1
    assert len(sent) == 2


def test_a_fault_of_the_ledger_is_not_tried_again() -> None:
    ledger, sent = client(refusal(500, "INTERNAL", retryable=False))
    with pytest.raises(LedgerRefusal, match="INTERNAL"):
        ledger.record({"event_type": "X"})
    assert len(sent) == 1


def test_an_answer_that_is_not_the_ledgers_is_an_error_too() -> None:
    ledger, _ = client(*[httpx.Response(504, text="<html>")] * 5)
    with pytest.raises(LedgerRefusal, match="status 504"):
        ledger.record({"event_type": "X"})


def verdict(**values: Any) -> httpx.Response:
    base = {"valid": True, "entries_checked": 10, "first_broken_at": None, "verification_time_ms": 5}
    return httpx.Response(
        200,
        json={**base, "failures": [], "failures_total": 0, "pending": [], "complete": True, "next_seq": None, **values},
    )


def test_consistency_is_asked_of_one_log() -> None:
    ledger, sent = client(httpx.Response(200, json={"hashes": []}), httpx.Response(200, json={"hashes": []}))
    ledger.consistency(1000, 1300)
    ledger.consistency(3, 3, log="ledger")
    asked = [{name: one[name] for name in ("log", "old_size", "new_size")} for one in sent]
    assert asked == [
        {"log": "organisation", "old_size": 1000, "new_size": 1300},
        {"log": "ledger", "old_size": 3, "new_size": 3},
    ]


def test_a_long_verification_is_continued() -> None:
    ledger, sent = client(
        verdict(valid=None, complete=False, next_seq=11),
        verdict(valid=False, first_broken_at=15, failures=[{"code": "MISSING", "sequence": 15}], failures_total=1),
    )
    found = ledger.verify(**{"from": "2026-03-20T00:00:00Z", "to": "2026-03-21T00:00:00Z"})
    assert (found["valid"], found["entries_checked"], found["first_broken_at"]) == (False, 20, 15)
    assert (sent[1]["start_seq"], sent[1]["to"]) == (11, "2026-03-21T00:00:00Z")
    assert "from" not in sent[1]


def test_what_was_broken_in_the_first_part_stays_broken() -> None:
    ledger, _ = client(verdict(valid=False, first_broken_at=3, complete=False, next_seq=11), verdict())
    found = ledger.verify()
    assert (found["valid"], found["first_broken_at"]) == (False, 3)


def sent_with(auth: httpx.Auth, *answers: httpx.Response, **more: Any) -> list[httpx.Request]:
    """The requests that one call to record sends."""
    sent: list[httpx.Request] = []
    left = list(answers) or [httpx.Response(200, json={"status": "recorded", "receipt": RECEIPT})]

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(httpx.Request(request.method, request.url, headers=request.headers, content=request.content))
        return left.pop(0)

    ledger = LedgerClient("https://ledger.example", org_id="acme-corp", auth=auth, **more)
    ledger._http = httpx.Client(transport=httpx.MockTransport(answer), base_url="https://ledger.example", auth=auth)
    ledger.record({"event_type": "X"})
    return sent


def test_a_token_takes_the_place_of_a_signature_or_stands_beside_it() -> None:
    [request] = sent_with(BearerToken(lambda: "one"))
    assert request.headers["authorization"] == "Bearer one"
    assert "signature" not in json.loads(request.content)
    [request] = sent_with(BearerToken(lambda: "one"), hmac_secret=SECRET)
    assert json.loads(request.content)["signature"]


def test_an_expired_token_is_replaced_once() -> None:
    unauthorized = httpx.Response(401, json={"message": "Unauthorized"})
    recorded = httpx.Response(200, json={"status": "recorded", "receipt": RECEIPT})
    tokens = iter(["old", "new", "never"])
    auth = BearerToken(lambda: next(tokens))
    sent_with(auth)
    sent = sent_with(auth, unauthorized, recorded)
    assert [request.headers["authorization"] for request in sent] == ["Bearer old", "Bearer new"]
    with pytest.raises(LedgerRefusal, match="Unauthorized"):
        sent_with(BearerToken(lambda: "bad"), unauthorized)


def test_an_aws_identity_signs_what_is_sent() -> None:
    session = boto3.Session("AKIDEXAMPLE", "wJalrXUtnFEMI", "the-session-token")
    [request] = sent_with(AwsIdentity(region="eu-central-1", session=session))
    assert request.headers["x-amz-security-token"] == "the-session-token"
    said = request.headers["authorization"]
    assert re.match(r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/eu-central-1/execute-api/aws4_request, ", said)
    # Signed anew from what arrived, at the time that it names.
    again = AWSRequest("POST", str(request.url), data=request.content)
    again.context["timestamp"] = request.headers["x-amz-date"]
    signer = SigV4Auth(session.get_credentials().get_frozen_credentials(), "execute-api", "eu-central-1")
    again.headers["X-Amz-Date"] = request.headers["x-amz-date"]
    again.headers["X-Amz-Security-Token"] = "the-session-token"
    assert said.endswith(signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again))


def test_nobody_in_particular_is_no_caller() -> None:
    with pytest.raises(ValueError, match="hmac_secret"):
        LedgerClient("https://ledger.example", org_id="acme-corp")


def test_an_export_is_waited_for() -> None:
    pending, ready = (
        {"status": "pending", "export_id": "ab"},
        {"status": "ready", "export_id": "ab", "url": "https://x"},
    )
    ledger, sent = client(*(httpx.Response(200, json=body) for body in (pending, pending, ready)))
    assert ledger.export(start_seq=1, end_seq=2) == ready
    assert (sent[0]["start_seq"], "start_seq" in sent[1], sent[2]["export_id"]) == (1, False, "ab")


def public(kind: type) -> dict[str, str]:
    methods = inspect.getmembers(kind, inspect.isfunction)
    return {name: str(inspect.signature(method)) for name, method in methods if name != "__init__" and name[0] != "_"}


def test_a_client_that_is_switched_off_has_every_method_of_the_real_one() -> None:
    assert public(StubLedgerClient) == public(LedgerClient)
    assert isinstance(connect("https://ledger.example", org_id="a1", hmac_secret=SECRET), LedgerClient)
    with connect("", org_id="acme-corp") as off:
        assert isinstance(off, StubLedgerClient)
        assert off.record({"event_type": "X"}) == {}
        assert off.record_batch([{"event_type": "X"}]) == [{}]
        assert off.prove(audit_id="x") == off.consistency(1, 2) == off.export() == {}


def test_a_client_that_is_switched_off_gives_no_verdict_in_the_form_of_one() -> None:
    found = connect(None, org_id="acme-corp").verify(start_seq=1)

    assert found["valid"] is None
    assert found.keys() == {field.encode_name for field in msgspec.structs.fields(VerifyResponse)}
