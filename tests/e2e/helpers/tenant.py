# SPDX-License-Identifier: Apache-2.0
"""An organisation as its own application sees it: a URL, a secret, and HTTP.

Invariant: the signature is computed here from RFC 8785 and HMAC alone, so the ledger's idea of it is tested too.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import rfc8785

from indelible.entry import operator
from indelible.services.registry import NewKey, Registry
from local.env import Outputs
from tests.e2e.helpers.inprocess import wiring

EVENT: dict[str, Any] = {
    "event_type": "AGENT_DECISION",
    "payload": {
        "agent": "document-classifier",
        "input_hash": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "decision": "APPROVED",
        "tokens": 12500,
    },
    "aow_context": {
        "intent_id": "document.classify",
        "agent_urn": "urn:axis:agent:classifier",
        "policy_urn": "urn:axis:policy:pii-required",
        "outcome": "SUCCESS",
    },
}


@dataclass(frozen=True)
class Tenant:
    """One organisation of a ledger, with one of its keys."""

    ledger: Outputs
    org_id: str
    key_id: str
    hmac_secret: str
    #: The `key_id` to send; None leaves it out.
    named_key: str | None = None

    def signed(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments with `org_id`, unless they name one, and `signature`."""
        body = {"org_id": self.org_id, **({"key_id": self.named_key} if self.named_key else {}), **arguments}
        return {**body, "signature": signature(body, self.hmac_secret)}

    def post(self, path: str, arguments: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Sign and send."""
        return post(self.ledger, path, self.signed(arguments), headers)

    def record(self, event: Mapping[str, Any] = EVENT, **more: Any) -> dict[str, Any]:
        """Record one event; its receipt."""
        answer = self.post("/v1/record", {**event, **more})
        assert answer.status_code == 200, answer.text
        receipt: dict[str, Any] = answer.json()["receipt"]
        return receipt

    def record_batch(self, events: Sequence[Mapping[str, Any]], **more: Any) -> list[dict[str, Any]]:
        """Record up to a hundred events; their receipts. Waits, as a client does, where the share is used up."""
        for _ in range(30):
            answer = self.post("/v1/record/batch", {"events": list(events), **more})
            if answer.status_code != 429:
                break
            time.sleep(1)
        assert answer.status_code == 200, answer.text
        receipts: list[dict[str, Any]] = answer.json()["receipts"]
        return receipts

    def verify(self, **asked: Any) -> dict[str, Any]:
        """The verdict over a range."""
        answer = self.post("/v1/verify", asked)
        assert answer.status_code == 200, answer.text
        verdict: dict[str, Any] = answer.json()
        return verdict


def events(count: int, **payload: Any) -> list[dict[str, Any]]:
    """Events that can be told apart."""
    return [{"event_type": "TOOL_RESULT", "payload": {"number": number, **payload}} for number in range(1, count + 1)]


def named(verdict: Mapping[str, Any]) -> list[tuple[str, int | None]]:
    """The failures of a verdict, as (type, sequence)."""
    return [(failure["code"], failure["sequence"]) for failure in verdict["failures"]]


def signature(arguments: Mapping[str, Any], secret: str) -> str:
    """hex HMAC-SHA256(secret as UTF-8, RFC 8785 of the arguments without `signature`)."""
    message = rfc8785.dumps({name: value for name, value in arguments.items() if name != "signature"})
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def post(
    ledger: Outputs, path: str, body: Mapping[str, Any] | bytes, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """Send as it is: JSON from a mapping, bytes untouched."""
    content = body if isinstance(body, bytes) else httpx.Request("POST", "http://x", json=body).content
    return http().post(
        f"{ledger.api_url}{path}", content=content, headers={"content-type": "application/json", **(headers or {})}
    )


@cache
def http() -> httpx.Client:
    """One connection pool for a session; the environment's proxies are none of its business."""
    return httpx.Client(timeout=40, trust_env=False)


@cache
def registry(ledger: Outputs) -> Registry:
    """The real registry; what it does is what `indelible org` does."""
    with wiring(ledger):
        found: Registry = operator.registry(ledger.ledger_name)
    return found


def tenant(ledger: Outputs, key: NewKey) -> Tenant:
    """The organisation that holds this key."""
    return Tenant(ledger, key.org_id, key.key_id, key.hmac_secret)


def fresh(ledger: Outputs, label: str) -> Tenant:
    """A new organisation with an empty chain, whose name no earlier run has used."""
    return tenant(ledger, registry(ledger).create(f"{label}-{secrets.token_hex(4)}"))
