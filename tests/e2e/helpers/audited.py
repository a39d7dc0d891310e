# SPDX-License-Identifier: Apache-2.0
"""A ledger with an auditor, in an emulator that evaluates IAM.

It refuses what the deployed policies do not allow; also to the ledger's own functions, whose requests it cannot hold
against their policies (docs/local.md). So the records are made by the functions' own code in this process, as the
account's root.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from indelible.entry.operations import Caller
from indelible.services.registry import NewKey
from local.env import REGION, Outputs
from local.ledger import ORG
from local.state import State
from tests.e2e.helpers import second
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.inprocess import wiring
from tests.e2e.helpers.tenant import registry, tenant
from tests.infra.duckdb_athena import EVENTS

ACCOUNT, EXTERNAL_ID = "210987654321", "x9f2kq83hs7dm1zp"
NAMED, OTHER = (ORG, "globex"), "initech"
SETTINGS = {
    "auditor_account": ACCOUNT,
    "auditor_external_id": EXTERNAL_ID,
    "auditor_organisations": ",".join(NAMED),
}


@dataclass(frozen=True)
class Audited:
    """A ledger, and what its auditor's stack says of itself."""

    ledger: Outputs
    stack: dict[str, str]

    @property
    def admin(self) -> Admin:
        return Admin.of(self.ledger)

    def role(self, kind: str) -> dict[str, Any]:
        """As IAM has it."""
        name = self.stack[f"{kind}RoleArn"].rpartition("/")[2]
        found: dict[str, Any] = self.admin.client("iam").get_role(RoleName=name)["Role"]
        return found

    def assume(self, kind: str, *, account: str = ACCOUNT, external_id: str | None = EXTERNAL_ID) -> Session:
        """Become the reader or the analyst, asked for from an account."""
        session = boto3.session.Session(account, "test", region_name=REGION)
        given = {} if external_id is None else {"ExternalId": external_id}
        sts = session.client("sts", endpoint_url=self.ledger.endpoint_url)
        keys = sts.assume_role(RoleArn=self.stack[f"{kind}RoleArn"], RoleSessionName="audit", **given)["Credentials"]
        return Session(
            boto3.session.Session(
                keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=REGION
            ),
            self.ledger.endpoint_url,
        )


@dataclass(frozen=True)
class Session:
    """Somebody's credentials."""

    session: boto3.session.Session
    endpoint_url: str

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.endpoint_url)  # type: ignore[call-overload]


def deployed(state: State, port: int) -> Audited:
    """Three organisations with the same four events each; the auditor may see two of them."""
    stacks = second.deployed(state, port, SETTINGS)
    ledger = second.described(stacks, port)
    keys = [NewKey(ledger.org_id, ledger.key_id, ledger.hmac_secret)]
    keys += [registry(ledger).create(name) for name in (NAMED[1], OTHER)]
    _recorded(ledger, keys)
    return Audited(ledger, stacks)


def _recorded(ledger: Outputs, keys: Sequence[NewKey]) -> None:
    deadline_ms = time.time_ns() // 1_000_000 + 60_000
    with wiring(ledger, variables_of(ledger, "record")) as bootstrap:
        for key in keys:
            for event in EVENTS:
                bootstrap.record.record_api().record(tenant(ledger, key).signed(event), Caller(None, deadline_ms))
    with wiring(ledger, variables_of(ledger, "anchor")) as bootstrap:
        report = bootstrap.anchor.rounds().anchor([key.org_id for key in keys], budget_ms=60_000)
        assert report.failed == {}
        bootstrap.anchor.ledger_log().run(deadline_ms=deadline_ms)


def variables_of(ledger: Outputs, function: str) -> dict[str, str]:
    """A function's environment."""
    admin = Admin.of(ledger)
    found = admin.client("lambda").get_function_configuration(FunctionName=admin.function(function))
    return dict(found["Environment"]["Variables"])


@contextmanager
def plain_http_allowed(admin: Admin, bucket: str) -> Iterator[None]:
    """The bucket's policy without the rule that refuses plain HTTP, which is all that the emulator speaks."""
    whole = admin.s3.get_bucket_policy(Bucket=bucket)["Policy"]
    policy = json.loads(whole)
    kept = [one for one in policy["Statement"] if "aws:SecureTransport" not in json.dumps(one.get("Condition", {}))]
    assert len(kept) == len(policy["Statement"]) - 1
    admin.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({**policy, "Statement": kept}))
    try:
        yield
    finally:
        admin.s3.put_bucket_policy(Bucket=bucket, Policy=whole)


def refused(client: Any, operation: str, **asked: Any) -> bool:
    """Whether IAM says no; any other failure is one of the test."""
    try:
        getattr(client, operation)(**asked)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException"):
            raise
        return True
    return False
