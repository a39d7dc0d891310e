# SPDX-License-Identifier: Apache-2.0
"""The three MCP tools: operations of the REST API, described for agents.

Invariant: the schemas of a tool are generated from the models that validate its arguments and hold its result. The
output schema also admits errors, because clients validate `structuredContent` against it in either case.
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
    """One tool. `route` is the REST route of its operation; `arguments` and `result` are that operation's models."""

    name: str
    title: str
    description: str
    route: str
    arguments: type[Struct]
    result: type[Struct]
    writes: bool

    def describe(self) -> dict[str, object]:
        """The entry of tools/list."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": _input_schema(self.arguments),
            "outputSchema": _output_schema(self.result),
            "annotations": {
                "title": self.title,
                "readOnlyHint": not self.writes,
                "destructiveHint": False,
                # Recording is not: without an idempotency_key, two equal calls make two records.
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
        result=RecordResponse,
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
        result=ProveResponse,
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
        result=VerifyResponse,
        writes=False,
    ),
)


@cache
def describe_all() -> list[dict[str, object]]:
    """The entries of tools/list, always in the same order."""
    return [tool.describe() for tool in TOOLS]


def find(name: object) -> Tool | None:
    """The tool of this name, or None."""
    return next((tool for tool in TOOLS if tool.name == name), None)


def success(result: Struct) -> dict[str, object]:
    """The members of a tools/call result that carries the result of an operation."""
    return _call_result(msgspec.json.encode(result), is_error=False)


def failure(error: LedgerError) -> dict[str, object]:
    """The members of a tools/call result that carries an error, as the same object as in REST."""
    return _call_result(msgspec.json.encode({"error": error.as_dict()}), is_error=True)


def _call_result(body: bytes, *, is_error: bool) -> dict[str, object]:
    return {
        "content": [{"type": "text", "text": body.decode()}],
        "structuredContent": msgspec.Raw(body),
        "isError": is_error,
    }


def _input_schema(model: type[Struct]) -> dict[str, Any]:
    defined = schemas.components([model], _REF)
    # Model providers reject tools whose input schema has conditions at the top level. The operation checks them.
    root = {name: value for name, value in defined.pop(model.__name__).items() if name not in _CONDITIONS}
    return {**root, "$defs": defined} if defined else root


def _output_schema(model: type[Struct]) -> dict[str, Any]:
    # No "$schema": MCP assumes 2020-12, and the validators of some clients fail on the member.
    defined = schemas.components([model, ErrorResponse], _REF)
    variants = [{"$ref": _REF.format(name=variant.__name__)} for variant in (model, ErrorResponse)]
    return {"type": "object", "anyOf": variants, "$defs": defined}
