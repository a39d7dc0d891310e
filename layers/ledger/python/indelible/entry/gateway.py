# SPDX-License-Identifier: Apache-2.0
"""What REST and MCP have in common: reading an HTTP API event (payload format 2.0), counting refusals.

Nothing of a request but its own words goes into a refusal, and nothing unexpected is told to whoever asks.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from indelible.entry.invocation import LambdaContext
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import HeadRegressed, InvalidJson, LedgerError, TooLarge

MAX_BODY_BYTES = 1024 * 1024
"""A record has at most 256 KiB; JSON may spell a character in six bytes."""
MAX_BATCH_BODY_BYTES = 5 * 1024 * 1024
"""Lambda takes 6 MB of event, in which the body stands escaped."""

ANSWERING_MS = 1_500
"""Kept for the answer, when all other time is used up."""


def headers(event: dict[str, Any]) -> dict[str, str]:
    """Values, exactly as they came, by names in small letters."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def body(event: dict[str, Any], *, limit: int = MAX_BODY_BYTES) -> bytes:
    """Raises InvalidJson for what is not text in UTF-8, TooLarge beyond `limit` bytes."""
    sent = event.get("body") or ""
    try:
        data = base64.b64decode(sent, validate=True) if event.get("isBase64Encoded") else sent.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidJson("the body is not UTF-8", field="body") from None
    if len(data) > limit:
        raise TooLarge(f"the body may have at most {limit} bytes, this one has {len(data)}", field="body")
    return data


def note_refusal(error: LedgerError, telemetry: PowertoolsTelemetry) -> None:
    """Log a refusal that is the ledger's fault; count what somebody must look at."""
    if error.status >= 500:
        telemetry.note("refused", code=error.code, detail=error.message)
    if isinstance(error, HeadRegressed):
        telemetry.count("HeadRegressed")


def unexpected(context: LambdaContext, telemetry: PowertoolsTelemetry) -> LedgerError:
    """Log the exception at hand with its traceback, count it, and return what is told of it."""
    telemetry.logger.exception("unexpected error")
    telemetry.count("UnexpectedErrors")
    return LedgerError(f"unexpected error; quote request {context.aws_request_id} to the operator")
