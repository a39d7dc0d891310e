# SPDX-License-Identifier: Apache-2.0
"""The interface of an operation, shared by REST and MCP.

Invariant: an operation takes arguments and a caller and returns a model, or raises LedgerError. One that serves a
single organisation admits every request through `entry.gate` first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from msgspec import Struct

from indelible.domain.canonical import JsonObject
from indelible.domain.identity import Identity


@dataclass(frozen=True, slots=True)
class Caller:
    """What an endpoint knows of a request besides its arguments.

    `claimed_org` is the X-Novus-Org-ID header, where sent. `deadline_ms` is when the operation must return (Unix time).
    `trace_id` is the trace of the call: recorded where an event names none, and covered by no signature. `identity` is
    what API Gateway's authorizer found, where there is one.
    """

    claimed_org: str | None
    deadline_ms: int
    trace_id: str | None = None
    identity: Identity | None = None


Operation: TypeAlias = Callable[[JsonObject, Caller], Struct]
Routes: TypeAlias = Mapping[str, Operation]
