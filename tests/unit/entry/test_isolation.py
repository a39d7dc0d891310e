# SPDX-License-Identifier: Apache-2.0
"""One tenant can learn nothing of another (G6): every operation, over every protocol, under every authentication.

What is not ours and what does not exist are answered with the same bytes; and whatever stands in a request, the keys
that are looked up are our own.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from indelible.domain import credentials
from tests.unit.entry.tenants import EVENT, OURS, SECRETS, THEIRS, TOOLS, Tenants, told

AUTHS = ("hmac", "jwt", "iam")
PROTOCOLS = ("rest", "mcp")
ASKED: dict[str, dict[str, Any]] = {
    "POST /v1/record": EVENT,
    "POST /v1/record/batch": {"events": [EVENT]},
    "POST /v1/prove": {"tx_hash": "0" * 64},
    "POST /v1/verify": {},
}
WAYS = [(protocol, route) for protocol in PROTOCOLS for route in ASKED if protocol == "rest" or route in TOOLS]
MISMATCH = {"hmac": "UNAUTHENTICATED", "jwt": "ORG_MISMATCH", "iam": "FORBIDDEN"}
NOBODY_S_ID = "019d09e8-7109-8000-8000-000400000005"


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")


@pytest.fixture(params=AUTHS)
def auth(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_another_s_record_is_not_found_like_one_that_never_was(auth: str, protocol: str) -> None:
    tenants = Tenants(auth)
    tenants.record(OURS)
    (theirs,) = tenants.record(THEIRS)
    asked = [
        {"audit_id": theirs["audit_id"]},
        {"tx_hash": theirs["tx_hash"]},
        {"audit_id": NOBODY_S_ID},
        {"audit_id": "x"},
        {"tx_hash": "0" * 64},
        {"tx_hash": "x"},
    ]
    answers = [tenants.call(protocol, "POST /v1/prove", one) for one in asked]
    assert answers == [answers[0]] * len(asked)
    assert told(answers[0])[1] == "NOT_FOUND"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "asked", [{}, {"start_seq": 1, "end_seq": 5}, {"start_seq": 3}, {"from": "2020-01-01T00:00:00Z"}]
)
def test_another_s_records_are_in_no_range(auth: str, protocol: str, asked: dict[str, Any]) -> None:
    answers = []
    for there in (True, False):
        tenants = Tenants(auth, theirs=there)
        tenants.record(OURS, 2)
        if there:
            tenants.record(THEIRS, 5)
        answers.append(tenants.call(protocol, "POST /v1/verify", asked))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(("protocol", "route"), WAYS)
def test_naming_another_organisation_is_naming_nobody(auth: str, protocol: str, route: str) -> None:
    tenants = Tenants(auth)
    tenants.record(THEIRS)
    answers = [tenants.call(protocol, route, ASKED[route], of=other) for other in (THEIRS, "nobody")]
    assert answers[0] == answers[1]
    assert told(answers[0])[1] == MISMATCH[auth]
    assert tenants.world.sealed(OURS) == []
    assert len(tenants.world.sealed(THEIRS)) == 1


@pytest.mark.parametrize(("protocol", "route"), WAYS)
def test_a_header_for_another_organisation_is_one_for_nobody(auth: str, protocol: str, route: str) -> None:
    tenants = Tenants(auth)
    answers = [
        tenants.call(protocol, route, ASKED[route], headers={"X-Novus-Org-ID": other})
        for other in (THEIRS, "nobody", "_admin", f"{OURS}/../{THEIRS}", f"{OURS} ", "")
        if protocol == "rest" or other == other.strip()
    ]
    assert answers == [answers[0]] * len(answers)
    assert told(answers[0])[1] == "ORG_MISMATCH"
    assert tenants.world.sealed(OURS) == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_another_s_idempotency_key_is_free(auth: str, protocol: str) -> None:
    answers = []
    for there in (True, False):
        tenants = Tenants(auth, theirs=there)
        if there:
            (theirs,) = tenants.record(THEIRS, idempotency_key="the-same", reason="another event")
        answers.append(tenants.call(protocol, "POST /v1/record", {**EVENT, "idempotency_key": "the-same"}))
        if there:
            assert tenants.record(THEIRS, idempotency_key="the-same", reason="another event") == [theirs]
    ours = [json.loads(answer["body"]) for answer in answers]
    receipts = [(one.get("result", {}).get("structuredContent") or one)["receipt"] for one in ours]
    assert [receipt["sequence"] for receipt in receipts] == [1, 1]
    assert all(receipt["s3_key"].startswith(f"{OURS}/") for receipt in receipts)
    assert all(receipt["prev_hash"] == "GENESIS" for receipt in receipts)


@pytest.mark.parametrize(("protocol", "route"), WAYS)
def test_another_s_signature_is_none_of_ours(auth: str, protocol: str, route: str) -> None:
    """A signature that the gateway's word would make unnecessary is held against our own keys all the same."""
    tenants = Tenants(auth)
    full = {"org_id": OURS, **ASKED[route]}
    answers = []
    for secret_of in (THEIRS, "nobody"):
        secret = credentials.hmac_secret(SECRETS.master(), secret_of, "k1")
        body = {**ASKED[route], "signature": credentials.sign(full, secret)}
        if auth == "hmac":  # Tenants.arguments would sign anew
            body["key_id"] = "k7"
        answers.append(tenants.call(protocol, route, body))
    assert answers[0] == answers[1]
    assert told(answers[0])[1] == "UNAUTHENTICATED"


@pytest.mark.parametrize("auth", ["jwt", "iam"])
@pytest.mark.parametrize(("protocol", "route"), WAYS)
def test_a_gateway_that_says_nothing_lets_nobody_in(auth: str, protocol: str, route: str) -> None:
    """Whatever the caller claims: only `requestContext.authorizer` counts."""
    tenants = Tenants(auth)
    other = {"jwt": "iam", "iam": "jwt"}[auth]
    for context in (
        {},
        {"authorizer": None},
        {"authorizer": {"lambda": {"org_id": OURS}}},
        Tenants(other).proof_of(OURS),
    ):
        headers = {"authorization": "Bearer x", "x-novus-org-id": OURS, "x-amzn-oidc-identity": OURS}
        answer = tenants.call(protocol, route, ASKED[route], context=context, headers=headers)
        assert told(answer)[1] == "UNAUTHENTICATED"
    assert tenants.world.sealed(OURS) == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_with_a_token_the_organisation_need_not_be_named(protocol: str) -> None:
    tenants = Tenants("jwt")
    tenants.arguments = lambda arguments, **_: dict(arguments)  # type: ignore[method-assign]
    answer = tenants.call(protocol, "POST /v1/record", EVENT, by=THEIRS)
    assert told(answer) == (200, None)
    assert (len(tenants.world.sealed(OURS)), len(tenants.world.sealed(THEIRS))) == (0, 1)


# -- keys cannot be steered -----------------------------------------------------------------------------------

HOSTILE = [
    f"../{THEIRS}",
    f"../../{THEIRS}/2026/01/01/000000000001-{NOBODY_S_ID}.json",
    f"..\\{THEIRS}",
    "%2e%2e%2f",
    "#",
    "HEAD",
    "CONFIG",
    f"#TX#{'0' * 40}",
    f"{THEIRS}#TX#x",
    f"{THEIRS}#OUTBOX#1",
    "_admin",
    "_ORGS",
    "_ledger/",
    "_log/checkpoint",
    "\x00",
    "\n",
    "019d09e8-7109-8000-8000-00040000000５",  # a full-width digit
    "019d09e8‐7109-8000-8000-000400000005",  # U+2010
    "019D09E8-7109-8000-8000-000400000005",
    f"{{{NOBODY_S_ID}}}",
    f"urn:uuid:{NOBODY_S_ID}"[:64],
    NOBODY_S_ID.replace("-", ""),
    "ffffffff-ffff-8fff-bfff-ffffffffffff",
    "00000000-0000-8000-8000-000000000000",
    "x" * 64,
    "\U0001f511" * 64,
]


def _keys_stay_at_home(tenants: Tenants) -> None:
    for name, arguments, named in tenants.records.asked:
        for text in [*arguments, *named.values()]:
            if isinstance(text, str):
                assert text == OURS or text.startswith(f"{OURS}/"), (name, text)
                assert ".." not in text
                assert "\x00" not in text
    for name, arguments, _ in [*tenants.index.asked, *tenants.journal.asked]:
        owner = getattr(arguments[0], "org_id", arguments[0])
        if isinstance(owner, str):
            assert owner == OURS, (name, owner)


def _examples(function: Any) -> Any:
    for text in HOSTILE:
        function = example(text)(function)
    return function


TENANTS = {auth: Tenants(auth) for auth in AUTHS}


@_examples
@given(text=st.text(min_size=1, max_size=64))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_id_and_no_hash_leads_out_of_the_organisation(auth: str, text: str) -> None:
    tenants = TENANTS[auth]
    for asked in ({"audit_id": text}, {"tx_hash": text}):
        answers = [tenants.rest("POST /v1/prove", one) for one in (asked, {"tx_hash": "0" * 64})]
        # Told apart is only what cannot be an id by its length or its encoding, which is the same for everybody.
        assert answers[0] == answers[1] or told(answers[0])[0] == 400
        assert answers[0] == answers[1] or len(text) > 64 or not text.isprintable()
    _keys_stay_at_home(tenants)


@_examples
@given(text=st.text(max_size=256))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_of_an_event_gets_into_a_key(auth: str, text: str) -> None:
    tenants = Tenants(auth)
    body = {
        **EVENT,
        "actor": text,
        "target": text,
        "payload": {"org_id": text, "s3_key": text, "sequence": 7, text: text},
        **({"idempotency_key": text, "trace_id": text, "correlation_id": text} if text else {}),
    }
    answer = tenants.rest("POST /v1/record", body)
    assert told(answer) == (200, None) or told(answer)[0] == 400
    _keys_stay_at_home(tenants)
    if answer["statusCode"] == 200:
        (sealed,) = tenants.world.sealed(OURS)
        assert sealed.s3_key == json.loads(answer["body"])["receipt"]["s3_key"]
        assert (sealed.org_id, sealed.sequence) == (OURS, 1)


ORGANISATIONS = [
    "_admin",
    "_ORGS",
    "_NEWS",
    "_ledger",
    f"{OURS}/",
    f"{OURS}#OUTBOX#1",
    f"{OURS}/../{THEIRS}",
    "аcme-corp",
    "acme‐corp",
    "ａcme-corp",
    "ACME-CORP",
    "acme-corp\n",
    "acme-corp\x00",
    "a" * 64,
    "a",
    "",
    "..",
    "%61cme-corp",
]


@pytest.mark.parametrize("org_id", ORGANISATIONS)
@pytest.mark.parametrize(("protocol", "route"), WAYS)
def test_no_name_but_an_organisation_s_is_looked_up(auth: str, protocol: str, route: str, org_id: str) -> None:
    tenants = Tenants(auth)
    answer = tenants.call(protocol, route, ASKED[route], of=org_id)
    assert told(answer)[1] == "INVALID_FIELD"
    if auth == "jwt":
        answer = tenants.call(protocol, route, ASKED[route], context=Tenants("jwt").proof_of(org_id))
        assert told(answer)[1] == "FORBIDDEN"
    assert [tenants.records.asked, tenants.index.asked, tenants.journal.asked] == [[], [], []]
