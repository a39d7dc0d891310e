# SPDX-License-Identifier: Apache-2.0
"""The ledger's operations, shared by REST and MCP: arguments in, a model out, or a LedgerError.

Each checks the shape first (it is the same for everybody, so it tells nothing), then who asks, then acts.
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
    """What an endpoint knows besides the arguments: the X-Novus-Org-ID header, and when the answer must be there.

    `trace_id` is that of the call itself; it stands in for an event's own, and no signature covers it. `identity` is
    who the gateway has found it to be.
    """

    claimed_org: str | None
    deadline_ms: int
    trace_id: str | None = None
    identity: Identity | None = None


Operation: TypeAlias = Callable[[JsonObject, Caller], Struct]
Routes: TypeAlias = Mapping[str, Operation]
