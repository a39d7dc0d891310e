# SPDX-License-Identifier: Apache-2.0
"""Each organisation's share of one execution environment: a token bucket in memory.

Invariant: only authenticated organisations are charged (`entry.gate`), so strangers can neither empty a tenant's bucket
nor fill the memory with names.

Environments do not share the bucket: that would cost every request a round trip. The most that an organisation can
take is its share times the environments that Lambda runs (docs/operations.md, docs/adr/0008).
"""

from __future__ import annotations

from token_bucket import Limiter, MemoryStorage

from indelible.errors import TooManyRequests

# Costs in tokens. A verification and an export read many objects, so they cost more than a proof.
RECORD_COST = 1
PROOF_COST = 5
VERIFY_COST = 20
EXPORT_COST = 50


class OrgLimits:
    """A bucket for each organisation: `rate` tokens per second, at most `burst` at once."""

    def __init__(self, *, rate: int, burst: int) -> None:
        self._limiter = Limiter(rate, burst, MemoryStorage())

    def spend(self, org_id: str, tokens: int) -> None:
        """Raises TooManyRequests when the organisation has fewer tokens left."""
        if not self._limiter.consume(org_id, tokens):
            raise TooManyRequests("more requests than this organisation's share; try again in a second")
