# SPDX-License-Identifier: Apache-2.0
"""The gate that every signed request passes, over REST and MCP alike, before an operation acts on it.

Invariant: an operation acts only on a request that has passed these three steps, in this order.

1. Shape: the arguments are well formed. Only the request is looked at, so the answer is the same whatever organisation
   it names, and a caller who cannot sign yet is still told which field is wrong (docs/adr/0005).
2. Authentication: the caller is who the request says it is (`services.authenticate`).
3. Share: the organisation has enough of its share left. Only authenticated requests are charged, so a stranger can
   neither use up an organisation's share nor fill memory with names (`entry.limits`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from indelible.domain.canonical import JsonObject
from indelible.domain.organisation import OrgConfig
from indelible.entry.limits import OrgLimits
from indelible.entry.operations import Caller
from indelible.services.authenticate import Authenticator

RequestT = TypeVar("RequestT")


class RequestGate:
    """Parses, authenticates and charges requests."""

    def __init__(self, *, authenticator: Authenticator, limits: OrgLimits) -> None:
        self._authenticator = authenticator
        self._limits = limits

    def admit(
        self,
        arguments: JsonObject,
        caller: Caller,
        parse: Callable[[JsonObject], RequestT],
        *,
        writes: bool,
        cost: int | Callable[[RequestT], int],
    ) -> tuple[RequestT, OrgConfig]:
        """The parsed request, and the organisation that sent it.

        `parse` makes every check that needs nothing but the arguments. `cost` is in tokens of the organisation's
        share; a callable gets the parsed request. With `writes`, strict ledgers require an `idempotency_key`.

        Raises what `parse` raises (InvalidRequest), what `Authenticator` raises, and TooManyRequests. Where a token
        has to supply a missing `org_id`, its Unauthenticated or Forbidden comes first.
        """
        request = parse(self._authenticator.complete(arguments, caller.identity))
        # The arguments as sent: those are what the caller signed.
        org = self._authenticator.authenticate(
            arguments, claimed_org=caller.claimed_org, writes=writes, identity=caller.identity
        )
        self.charge(org, cost if isinstance(cost, int) else cost(request))
        return request, org

    def charge(self, org: OrgConfig, tokens: int) -> None:
        """Spend more of an admitted organisation's share, for a cost that shows later. Raises TooManyRequests."""
        self._limits.spend(org.org_id, tokens)
