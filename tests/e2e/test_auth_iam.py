# SPDX-License-Identifier: Apache-2.0
"""auth=iam, deployed: requests signed with SigV4 by roles and users, and organisations that say who may act for them.

The emulator resolves the access key to its role or user, as AWS does, but does not check the signature itself nor
`execute-api:Invoke`; what it is told is signed all the same, by botocore's own signer.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from indelible.aws.sigv4 import AwsIdentity
from indelible.client import LedgerClient
from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.commands import indelible
from tests.e2e.helpers.second import another_ledger
from tests.e2e.helpers.tenant import EVENT, Tenant, fresh, http, post, registry

RECORD, PROVE, VERIFY = "/v1/record", "/v1/prove", "/v1/verify"
BODIES: dict[str, dict[str, Any]] = {RECORD: EVENT, PROVE: {"tx_hash": "0" * 64}, VERIFY: {}}


@dataclass(frozen=True)
class Caller:
    """An AWS identity with credentials."""

    ledger: Outputs
    arn: str
    credentials: Credentials

    def send(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        """Sign with SigV4 for API Gateway, and send."""
        url = f"{self.ledger.api_url}{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(
            method="POST", url=url, data=json.dumps(body), headers={"content-type": "application/json", **named}
        )
        SigV4Auth(self.credentials, "execute-api", self.ledger.region).add_auth(request)
        return http().post(url, content=request.data, headers=dict(request.headers))


@pytest.fixture(scope="module")
def signed(ledger: Outputs, ledger_state: Path) -> Outputs:
    """A ledger that knows its callers by their AWS identity."""
    return another_ledger(ledger, ledger_state / "signed", ledger_name="signed", auth="iam")


@pytest.fixture(scope="module")
def recorder(signed: Outputs) -> Caller:
    """A session of a role with a path."""
    return _session(signed, _role(signed, "recorder", path="/teams/risk/"))


@pytest.fixture(scope="module")
def stranger(signed: Outputs) -> Caller:
    """A session of another role."""
    return _session(signed, _role(signed, "stranger"))


@pytest.fixture(scope="module")
def org(signed: Outputs, recorder: Caller) -> Tenant:
    """An organisation that the role may act for, allowed from the command line."""
    found = fresh(signed, "ours")
    shown = _allow(signed, found.org_id, recorder.arn)
    assert [arn.rpartition("/")[2] for arn in shown["principals"]] == [recorder.arn.split("/")[1]]
    return found


def _role(ledger: Outputs, name: str, *, path: str = "/") -> str:
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    made = (
        Admin.of(ledger)
        .client("iam")
        .create_role(RoleName=f"{name}-{secrets.token_hex(4)}", Path=path, AssumeRolePolicyDocument=json.dumps(trust))
    )
    return str(made["Role"]["Arn"])


def _session(ledger: Outputs, role: str) -> Caller:
    given = Admin.of(ledger).client("sts").assume_role(RoleArn=role, RoleSessionName="i-0abc")
    keys = given["Credentials"]
    credentials = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    return Caller(ledger, given["AssumedRoleUser"]["Arn"], credentials)


def _allow(ledger: Outputs, org_id: str, arn: str) -> dict[str, Any]:
    words = ["org", "allow", org_id, "--principal", arn, "--json", "--ledger", ledger.ledger_name]
    done = indelible(*words, environment=ledger.environment())
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    shown: dict[str, Any] = json.loads(done.stdout)
    return shown


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_an_allowed_role_records_proves_and_verifies(org: Tenant, recorder: Caller) -> None:
    assert ":assumed-role/" in recorder.arn
    receipt = recorder.send(RECORD, {**EVENT, "org_id": org.org_id}).json()["receipt"]
    asked = {"org_id": org.org_id, "audit_id": receipt["audit_id"]}
    assert recorder.send(PROVE, asked, x_novus_org_id=org.org_id).json()["receipt"] == receipt
    verdict = recorder.send(VERIFY, {"org_id": org.org_id}).json()
    assert (verdict["valid"], verdict["entries_checked"]) == (True, 1)
    given = recorder.credentials
    session = boto3.Session(given.access_key, given.secret_key, given.token)
    identity = AwsIdentity(region=recorder.ledger.region, session=session)
    with LedgerClient(recorder.ledger.api_url, org_id=org.org_id, auth=identity, trust_env=False) as client:
        assert client.prove(audit_id=receipt["audit_id"])["receipt"] == receipt


def test_an_allowed_user_too_and_the_role_s_own_arn(signed: Outputs, recorder: Caller) -> None:
    iam, name = Admin.of(signed).client("iam"), f"ann-{secrets.token_hex(4)}"
    arn = iam.create_user(UserName=name, Path="/teams/")["User"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    own = fresh(signed, "users")
    register = registry(signed)
    register.allow(own.org_id, arn)
    register.allow(own.org_id, _role(signed, "later", path="/a/b/"))
    ann = Caller(signed, arn, Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
    assert ann.send(RECORD, {**EVENT, "org_id": own.org_id}).status_code == 200
    assert refusal(recorder.send(RECORD, {**EVENT, "org_id": own.org_id})) == (403, "FORBIDDEN")


@pytest.mark.parametrize("path", [RECORD, PROVE, VERIFY])
def test_all_who_may_not_hear_the_same(
    signed: Outputs, org: Tenant, recorder: Caller, stranger: Caller, path: str
) -> None:
    register, other, gone, denied = (
        registry(signed),
        fresh(signed, "theirs"),
        fresh(signed, "gone"),
        fresh(signed, "no"),
    )
    register.allow(gone.org_id, recorder.arn)
    register.disable(gone.org_id)
    register.allow(denied.org_id, recorder.arn)
    register.deny(denied.org_id, recorder.arn)
    before = Admin.of(signed).footprint(org.org_id)
    answers = [
        caller.send(path, {**BODIES[path], "org_id": org_id, **more})
        for caller, org_id in (
            (stranger, org.org_id),
            (stranger, "nobody-here"),
            (recorder, other.org_id),
            (recorder, gone.org_id),
            (recorder, denied.org_id),
            (recorder, "nobody-here"),
        )
        for more in ({}, {"signature": "0" * 64})
    ]
    assert [refusal(answer) for answer in answers] == [(403, "FORBIDDEN")] * len(answers)
    assert len({answer.content for answer in answers}) == 1
    admin = Admin.of(signed)
    assert admin.footprint(org.org_id) == before
    assert [admin.head(silent.org_id) for silent in (other, gone, denied)] == [0, 0, 0]


def test_without_an_aws_signature_the_gateway_refuses(signed: Outputs, org: Tenant) -> None:
    for path in (*BODIES, "/mcp"):
        answer = post(signed, path, org.signed(BODIES.get(path, {})))
        assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_a_key_that_nobody_has_is_nobody(signed: Outputs, org: Tenant, recorder: Caller) -> None:
    """AWS refuses it at the gateway. The emulator calls the function without an identity, which then refuses."""
    unknown = Caller(signed, "", Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI"))
    for body in ({**EVENT, "org_id": org.org_id}, org.signed(EVENT)):
        assert refusal(unknown.send(RECORD, body)) == (401, "UNAUTHENTICATED")


def test_the_account_s_root_is_nobody_s_principal(signed: Outputs, org: Tenant) -> None:
    root = Caller(signed, "", Credentials("test", "test"))
    assert refusal(root.send(VERIFY, {"org_id": org.org_id})) == (403, "FORBIDDEN")


def test_the_organisation_must_be_named_and_the_header_must_agree(org: Tenant, recorder: Caller) -> None:
    missing = recorder.send(VERIFY, {})
    assert (*refusal(missing), missing.json()["error"]["field"]) == (400, "MISSING_FIELD", "org_id")
    for named in ("nobody-here", "_admin"):
        answer = recorder.send(VERIFY, {"org_id": org.org_id}, x_novus_org_id=named)
        assert refusal(answer) == (403, "ORG_MISMATCH")


def test_a_signature_besides_is_checked(org: Tenant, recorder: Caller) -> None:
    assert recorder.send(VERIFY, org.signed({})).status_code == 200
    assert refusal(recorder.send(VERIFY, {**org.signed({}), "start_seq": 1})) == (401, "UNAUTHENTICATED")


def test_agents_sign_too(org: Tenant, recorder: Caller, stranger: Caller) -> None:
    arguments = {**EVENT, "org_id": org.org_id}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    call |= {"params": {"name": "record_audit_event", "arguments": arguments}}
    answer = recorder.send("/mcp", call).json()["result"]
    assert answer["structuredContent"]["status"] == "recorded"
    assert stranger.send("/mcp", call).json()["result"]["structuredContent"]["error"]["code"] == "FORBIDDEN"


def test_what_is_public_stays_public(signed: Outputs) -> None:
    assert http().get(f"{signed.api_url}/health").status_code == 200


def test_who_was_allowed_is_on_record(signed: Outputs, org: Tenant, recorder: Caller) -> None:
    admin = Admin.of(signed)
    events = [json.loads(admin.body(key))["event"] for key in admin.keys("_admin")]
    acts = [(event["action"], event["payload"]) for event in events if event["target"] == org.org_id]
    role = recorder.arn.split("/")[1]
    assert [action for action, _ in acts] == ["org.create", "org.allow"]
    assert acts[1][1]["principal"].endswith(f":role/{role}")
