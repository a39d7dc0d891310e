# SPDX-License-Identifier: Apache-2.0
"""A synchronous client that signs requests and retries those that may succeed later.

Invariant: every call to record carries an idempotency key, so that a retry after a lost answer cannot record twice.
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
# Of answers that are not the ledger's own. A function that ran out of time or memory is a 500 of API Gateway.
_GATEWAY_RETRYABLE = frozenset({429, 500, 502, 503, 504})
PACKING_S = 19 * 60
"""How long to wait for an export, in seconds: longer than the ledger reports one as pending."""


class LedgerRefusal(Exception):
    """The ledger refused a request. `code` is stable (docs/errors.md), `status` is the HTTP status.

    `field` names the invalid argument, and `audit_id` the record that is committed but not sealed yet, if there is one.
    """

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        subject = f" ({error['field']})" if error.get("field") else ""
        super().__init__(f"{error.get('code')}{subject}: {error.get('message')}")
        self.status = status
        self.code = str(error.get("code"))
        self.field = error.get("field")
        self.retryable = bool(error.get("retryable"))
        self.audit_id = error.get("audit_id")


class Ledger(Protocol):
    """The operations that applications use; LedgerClient and StubLedgerClient implement them."""

    def record(self, event: Mapping[str, Any], *, idempotency_key: str | None = None) -> dict[str, Any]:
        """Record one event and return its receipt."""
        ...

    def record_batch(
        self, events: Sequence[Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[dict[str, Any]]:
        """Record up to 100 events in order and return their receipts."""
        ...

    def prove(self, *, audit_id: str | None = None, tx_hash: str | None = None) -> dict[str, Any]:
        """Return one record and its proofs, which the ledger reads from the bucket and hashes again."""
        ...

    def consistency(
        self, old_size: int, new_size: int, *, log: Literal["organisation", "ledger"] = "organisation"
    ) -> dict[str, Any]:
        """Return the proof that a log only grew between two of its published checkpoints (RFC 6962 §2.1.2)."""
        ...

    def verify(self, **asked: int | str) -> dict[str, Any]:
        """Verify `start_seq`/`end_seq`, `from`/`to`, or everything, in as many requests as that takes."""
        ...

    def export(self, **asked: int | str) -> dict[str, Any]:
        """Export a range as evidence, and wait until it can be downloaded."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...

    def __enter__(self) -> Self:
        """Return the ledger itself."""
        ...

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        ...


class LedgerClient:
    """One organisation's connection to a ledger. Use it as a context manager, or call `close`.

    >>> with LedgerClient("https://…", org_id="acme-corp", hmac_secret=secret) as ledger:
    ...     receipt = ledger.record({"event_type": "AGENT_DECISION", "payload": {"decision": "APPROVED"}})

    `hmac_secret` signs the arguments (`auth=hmac`). `auth` identifies the caller to API Gateway, instead of a signature
    or in addition to it: `BearerToken` (`auth=jwt`), `indelible.aws.sigv4.AwsIdentity` (`auth=iam`). `trust_env`: use
    the proxies and certificates that the environment names (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE).

    Every method raises LedgerRefusal, or httpx.TransportError after the last attempt. Safe to share between threads.
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
            raise ValueError("hmac_secret or auth is required")
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
        """Record one event and return its receipt."""
        arguments = {**event, "idempotency_key": idempotency_key or str(uuid.uuid4())}
        receipt: dict[str, Any] = self._call("/v1/record", arguments)["receipt"]
        return receipt

    def record_batch(
        self, events: Sequence[Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[dict[str, Any]]:
        """Record up to 100 events in order and return their receipts."""
        arguments = {"events": [dict(e) for e in events], "idempotency_key": idempotency_key or str(uuid.uuid4())}
        receipts: list[dict[str, Any]] = self._call("/v1/record/batch", arguments)["receipts"]
        return receipts

    def prove(self, *, audit_id: str | None = None, tx_hash: str | None = None) -> dict[str, Any]:
        """Return one record and its proofs, which the ledger reads from the bucket and hashes again."""
        asked = {"audit_id": audit_id, "tx_hash": tx_hash}
        return self._call("/v1/prove", {name: value for name, value in asked.items() if value is not None})

    def consistency(
        self, old_size: int, new_size: int, *, log: Literal["organisation", "ledger"] = "organisation"
    ) -> dict[str, Any]:
        """Return the proof that a log only grew between two of its published checkpoints (RFC 6962 §2.1.2)."""
        return self._call("/v1/consistency", {"old_size": old_size, "new_size": new_size, "log": log})

    def verify(self, **asked: int | str) -> dict[str, Any]:
        """Verify `start_seq`/`end_seq`, `from`/`to`, or everything, in as many requests as that takes."""
        verdict = self._call("/v1/verify", asked)
        while not verdict["complete"]:
            rest = {k: v for k, v in asked.items() if k != "from"} | {"start_seq": verdict["next_seq"]}
            verdict = _merge_verdicts(verdict, self._call("/v1/verify", rest))
        return verdict

    def export(self, **asked: int | str) -> dict[str, Any]:
        """Export a range (as for `verify`, plus `format`), and wait up to PACKING_S seconds until it is packed.

        In the answer, `url` is where to GET the file for some minutes, and `sha256` its hash. `status` is "failed" if
        it could not be packed, with the reason in `code`; "pending" if this method stopped waiting.
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
            retry=tenacity.retry_if_exception(_is_retryable),
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
            message = body.get("message") or f"status {answer.status_code}"  # from API Gateway itself
            error = body.get("error") or {"code": "HTTP", "message": message}
            raise LedgerRefusal(answer.status_code, {"retryable": answer.status_code in _GATEWAY_RETRYABLE, **error})
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
    """Return a LedgerClient, or a StubLedgerClient if `api_url` is empty: recording is switched off."""
    if not api_url:
        return StubLedgerClient()
    return LedgerClient(api_url, org_id=org_id, hmac_secret=hmac_secret, key_id=key_id, auth=auth)


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, httpx.TransportError) or (isinstance(error, LedgerRefusal) and error.retryable)


def _merge_verdicts(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
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
