# SPDX-License-Identifier: Apache-2.0
"""The three tools, as a client lists and calls them: the operations of the REST API, described for agents.

Both schemas of a tool come from the models that validate and answer. The output schema also admits a refusal, since
clients hold whatever stands in `structuredContent` against it, errors included.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from indelible.entry import schemas
from indelible.entry.models import (
    ErrorResponse,
    ProveRequest,
    ProveResponse,
    RecordRequest,
    RecordResponse,
    VerifyRequest,
    VerifyResponse,
)
from indelible.errors import LedgerError

_REF = "#/$defs/{name}"
_CONDITIONS = ("oneOf", "anyOf", "allOf", "not", "if", "then", "else")


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. `route` is the REST route of the same operation."""

    name: str
    title: str
    description: str
    route: str
    arguments: type[Struct]
    answer: type[Struct]
    writes: bool

    def listed(self) -> dict[str, object]:
        """The tool as tools/list shows it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": _input_schema(self.arguments),
            "outputSchema": _output_schema(self.answer),
            "annotations": {
                "title": self.title,
                "readOnlyHint": not self.writes,
                "destructiveHint": False,
                # Not for recording: without an idempotency_key the same call twice is two records.
                "idempotentHint": not self.writes,
                "openWorldHint": False,
            },
        }


TOOLS = (
    Tool(
        name="record_audit_event",
        title="Record an audit event",
        description=(
            "Write one event to the organisation's tamper-evident audit ledger and get its receipt. Call it after "
            "every step that somebody may have to answer for: a decision, a tool call, a policy gate (ALLOW, BLOCK, "
            "REQUIRE_HUMAN), a retry, an escalation, a human override. Say who did what to what, and for a decision "
            "the reason. The record is locked for years and cannot be changed or deleted by anyone, so send hashes "
            "and references instead of personal data or secrets. Send an idempotency_key of your own with each "
            "event; when an error is retryable, call again with the same key and event: it is recorded once. Keep "
            "audit_id and tx_hash of the receipt, they are how the record is found and proven later."
        ),
        route="POST /v1/record",
        arguments=RecordRequest,
        answer=RecordResponse,
        writes=True,
    ),
    Tool(
        name="get_audit_proof",
        title="Get the proof of a record",
        description=(
            "Get one record of the organisation, by audit_id or by tx_hash (exactly one of them), re-read from "
            "storage and re-hashed, with its receipt, its place in the signed logs, and what witnesses and timestamp "
            "authorities say, as far as there are any. Call it to show what was decided and when, or to check "
            "that a receipt still holds. Changes nothing."
        ),
        route="POST /v1/prove",
        arguments=ProveRequest,
        answer=ProveResponse,
        writes=False,
    ),
    Tool(
        name="verify_chain",
        title="Verify the chain",
        description=(
            "Re-read a range of the organisation's records from storage, check every hash and link, and report "
            "whatever was changed, removed, inserted, hidden or unlocked. Give start_seq and end_seq, or from and "
            "to, or nothing for all of it. Call it before relying on the history, or when tampering is suspected. "
            "When complete is false, call again with start_seq set to next_seq. Changes nothing."
        ),
        route="POST /v1/verify",
        arguments=VerifyRequest,
        answer=VerifyResponse,
        writes=False,
    ),
)


@cache
def listing() -> list[dict[str, object]]:
    """All tools, in the same order every time."""
    return [tool.listed() for tool in TOOLS]


def named(name: object) -> Tool | None:
    """The tool of this name."""
    return next((tool for tool in TOOLS if tool.name == name), None)


def answer(model: Struct) -> dict[str, object]:
    """What an operation answered, as the members of a tool result."""
    return _answered(msgspec.json.encode(model), is_error=False)


def refusal(error: LedgerError) -> dict[str, object]:
    """A refusal as the members of a tool result, with the same object as REST answers with."""
    return _answered(msgspec.json.encode({"error": error.as_dict()}), is_error=True)


def _answered(body: bytes, *, is_error: bool) -> dict[str, object]:
    return {
        "content": [{"type": "text", "text": body.decode()}],
        "structuredContent": msgspec.Raw(body),
        "isError": is_error,
    }


def _input_schema(model: type[Struct]) -> dict[str, Any]:
    defined = schemas.components([model], _REF)
    # Model providers refuse a tool whose arguments have conditions at the top; the operation checks them all the same.
    root = {name: value for name, value in defined.pop(model.__name__).items() if name not in _CONDITIONS}
    return {**root, "$defs": defined} if defined else root


def _output_schema(model: type[Struct]) -> dict[str, Any]:
    # No "$schema": 2020-12 is what MCP assumes, and some clients' validators stumble over being told.
    defined = schemas.components([model, ErrorResponse], _REF)
    variants = [{"$ref": _REF.format(name=variant.__name__)} for variant in (model, ErrorResponse)]
    return {"type": "object", "anyOf": variants, "$defs": defined}
