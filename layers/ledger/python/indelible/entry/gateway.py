# SPDX-License-Identifier: Apache-2.0
"""What REST and MCP share: reading an API Gateway HTTP API event (payload format 2.0), and reporting errors.

Invariant: an unexpected error is logged in full, and the caller is told only the id of the request.
"""

from __future__ import annotations

import base64
from typing import Any

from indelible.entry.invocation import LambdaContext
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import HeadRegressed, InvalidJson, LedgerError, TooLarge

MAX_BODY_BYTES = 1024 * 1024
"""Enough for a record of 256 KiB, of which JSON may escape characters as six bytes each."""
MAX_BATCH_BODY_BYTES = 5 * 1024 * 1024
"""Lambda accepts events of up to 6 MB, in which the body is an escaped string."""

ANSWERING_MS = 1_500
"""Kept for building the response when the rest of the time is used up."""


def headers(event: dict[str, Any]) -> dict[str, str]:
    """Header values as sent, by lower-case name."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def body(event: dict[str, Any], *, limit: int = MAX_BODY_BYTES) -> bytes:
    """The bytes of the body. Raises InvalidJson when they cannot be decoded, TooLarge beyond `limit` bytes."""
    sent = event.get("body") or ""
    try:
        data = base64.b64decode(sent, validate=True) if event.get("isBase64Encoded") else sent.encode()
    except ValueError:  # not Base64, or a lone surrogate
        raise InvalidJson("the body is not UTF-8", field="body") from None
    if len(data) > limit:
        raise TooLarge(f"the body may have at most {limit} bytes, this one has {len(data)}", field="body")
    return data


def log_refusal(error: LedgerError, telemetry: PowertoolsTelemetry) -> None:
    """Log an error that is the ledger's fault; count one that the operator must act on."""
    if error.status >= 500:
        telemetry.note("refused", code=error.code, detail=error.message)
    if isinstance(error, HeadRegressed):
        telemetry.count("HeadRegressed")


def report_unexpected(context: LambdaContext, telemetry: PowertoolsTelemetry) -> LedgerError:
    """Log the current exception with its traceback, count it, and return the error to answer with."""
    telemetry.logger.exception("unexpected error")
    telemetry.count("UnexpectedErrors")
    return LedgerError(f"unexpected error; quote request {context.aws_request_id} to the operator")
