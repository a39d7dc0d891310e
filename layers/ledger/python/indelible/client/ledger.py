# SPDX-License-Identifier: Apache-2.0
"""A small synchronous client: authenticates, sends, and tries again what may be tried again.

Every recording carries an idempotency key of its own, so a retry after a lost answer cannot record twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, Self

import httpx
import tenacity

from indelible.client.stub import StubLedgerClient
from indelible.domain.credentials import sign

_ATTEMPTS = 5
PACKING_S = 19 * 60
"""Longer than the ledger calls an export pending."""


class LedgerRefusal(Exception):
    """The ledger said no. `code` is stable (docs/errors.md); `field` names the argument at fault."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.status = status
        self.code = str(error.get("code"))
        self.field = error.get("field")
        self.retryable = bool(error.get("retryable"))
        self.audit_id = error.get("audit_id")


class Ledger(Protocol):
    """What an application needs of a ledger: the real client or the stub."""

    def record(self, event: Mapping[str, Any], *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Record one event and return its receipt."""
        ...

    def record_batch(
        self, events: Sequence[Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[dict[str, Any]]:
        """Record up to a hundred events in order and return their receipts."""
        ...

    def prove(self, *, audit_id: str | None = None, tx_hash: str | None = None) -> dict[str, Any]:
        """One record, re-read and re-hashed by the ledger."""
        ...

    def consistency(
        self, old_size: int, new_size: int, *, log: Literal["organisation", "ledger"] = "organisation"
    ) -> dict[str, Any]:
        """The proof that a log only grew between two of its published checkpoints."""
        ...

    def verify(self, **asked: int | str) -> dict[str, Any]:
        """Verify `start_seq`/`end_seq`, `from`/`to`, or everything; long ranges are continued to their end."""
        ...

    def export(self, **asked: int | str) -> dict[str, Any]:
        """Export a range as evidence, and wait until it can be fetched."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...

    def __enter__(self) -> Self:
        """The ledger; it is closed at the end."""
        ...

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        ...


class LedgerClient:
    """One organisation's connection to a ledger. Use it as a context manager, or call `close`.

    >>> with LedgerClient("https://…", org_id="acme-corp", hmac_secret=secret) as ledger:
    ...     receipt = ledger.record({"event_type": "AGENT_DECISION", "payload": {"decision": "APPROVED"}})

    `hmac_secret` signs the arguments (`auth=hmac`). `auth` identifies the caller to API Gateway instead, or besides:
    `BearerToken` (`auth=jwt`), `indelible.aws.sigv4.AwsIdentity` (`auth=iam`). Safe to share between threads.
    `trust_env`: proxies and certificates as the environment names them (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE).
    """

    def __init__(
        self,
        api_url: str,
        *,
        org_id: str,
        hmac_secret: str | None = None,
        key_id: str | None = None,
        auth: httpx.Auth | None = None,
        timeout_s: float = 35.0,
        trust_env: bool = True,
    ) -> None:
        if not hmac_secret and auth is None:
            raise ValueError("an hmac_secret or an auth is needed")
        self._org_id = org_id
        self._secret = hmac_secret
        self._key_id = key_id
        self._http = httpx.Client(
            base_url=api_url, auth=auth, timeout=timeout_s, headers={"X-Novus-Org-ID": org_id}, trust_env=trust_env
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def record(self, event: Mapping[str, Any], *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Record one event and return its receipt. Raises LedgerRefusal, or httpx.TransportError."""
        arguments = {**event, "idempotency_key": idempotency_key or str(uuid.uuid4())}
        receipt: dict[str, Any] = self._call("/v1/record", arguments)["receipt"]
        return receipt

    def record_batch(
        self, events: Sequence[Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[dict[str, Any]]:
        """Record up to a hundred events in order and return their receipts."""
        arguments = {"events": [dict(e) for e in events], "idempotency_key": idempotency_key or str(uuid.uuid4())}
        receipts: list[dict[str, Any]] = self._call("/v1/record/batch", arguments)["receipts"]
        return receipts

    def prove(self, *, audit_id: str | None = None, tx_hash: str | None = None) -> dict[str, Any]:
        """One record, re-read and re-hashed by the ledger."""
        asked = {"audit_id": audit_id, "tx_hash": tx_hash}
        return self._call("/v1/prove", {name: value for name, value in asked.items() if value is not None})

    def consistency(
        self, old_size: int, new_size: int, *, log: Literal["organisation", "ledger"] = "organisation"
    ) -> dict[str, Any]:
        """The proof that a log only grew between two of its published checkpoints."""
        return self._call("/v1/consistency", {"old_size": old_size, "new_size": new_size, "log": log})

    def verify(self, **asked: int | str) -> dict[str, Any]:
        """Verify `start_seq`/`end_seq`, `from`/`to`, or everything; long ranges are continued to their end."""
        verdict = self._call("/v1/verify", asked)
        while not verdict["complete"]:
            going_on = {k: v for k, v in asked.items() if k != "from"} | {"start_seq": verdict["next_seq"]}
            following = self._call("/v1/verify", going_on)
            verdict = _joined(verdict, following)
        return verdict

    def export(self, **asked: int | str) -> dict[str, Any]:
        """Export a range (as for `verify`, and `format`), and wait until it is packed: up to nineteen minutes.

        `url` of the answer is where to GET the file, for some minutes; `sha256` is its hash. `status` is "failed" where
        it could not be packed, and `code` says why; "pending" where it took longer than this waits.
        """
        answer = self._call("/v1/export", asked)
        waiting = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda answer: answer["status"] == "pending"),
            wait=tenacity.wait_exponential(multiplier=0.5, max=15),
            stop=tenacity.stop_after_delay(PACKING_S),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else answer,
        )
        if answer["status"] == "pending":
            answer = waiting(self._call, "/v1/export", {"export_id": answer["export_id"]})
        return answer

    def _call(self, path: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_be_tried_again),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            reraise=True,
        )
        return retrying(self._once, path, arguments)

    def _once(self, path: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        signed = {**arguments, "org_id": self._org_id, "signed_at": datetime.now(UTC).isoformat(timespec="seconds")}
        if self._key_id is not None:
            signed["key_id"] = self._key_id
        if self._secret:
            signed["signature"] = sign(signed, self._secret)
        answer = self._http.post(path, json=signed)
        try:
            body = answer.json()
        except ValueError:
            body = {}
        if answer.status_code != httpx.codes.OK:
            said = body.get("message") or f"status {answer.status_code}"  # by API Gateway itself
            error = body.get("error") or {"code": "HTTP", "message": said}
            raise LedgerRefusal(answer.status_code, {"retryable": answer.status_code in (429, 503, 504), **error})
        answered: dict[str, Any] = body
        return answered


def connect(
    api_url: str | None,
    *,
    org_id: str,
    hmac_secret: str | None = None,
    key_id: str | None = None,
    auth: httpx.Auth | None = None,
) -> Ledger:
    """The real client, or the stub when `api_url` is empty: recording switched off by configuration."""
    if not api_url:
        return StubLedgerClient()
    return LedgerClient(api_url, org_id=org_id, hmac_secret=hmac_secret, key_id=key_id, auth=auth)


def _may_be_tried_again(error: BaseException) -> bool:
    return isinstance(error, httpx.TransportError) or (isinstance(error, LedgerRefusal) and error.retryable)


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """The verdict over two consecutive ranges."""
    broken = False in (first["valid"], second["valid"])
    first_broken = [v["first_broken_at"] for v in (first, second) if v["first_broken_at"] is not None]
    return {
        **second,
        "valid": False if broken else second["valid"],
        "entries_checked": first["entries_checked"] + second["entries_checked"],
        "first_broken_at": min(first_broken, default=None),
        "verification_time_ms": first["verification_time_ms"] + second["verification_time_ms"],
        "failures": first["failures"] + second["failures"],
        "failures_total": first["failures_total"] + second["failures_total"],
        "pending": first["pending"] + second["pending"],
    }
