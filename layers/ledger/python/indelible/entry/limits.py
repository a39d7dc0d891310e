# SPDX-License-Identifier: Apache-2.0
"""Each organisation's share of one environment: a token bucket in memory.

It is charged only after authentication, so strangers can neither empty a tenant's bucket nor fill the memory with
names. It is not shared between environments: that would cost every request a round trip. What one organisation can
take in all is its share times the environments that Lambda gives it (docs/operations.md).
"""

from __future__ import annotations

from token_bucket import Limiter, MemoryStorage

from indelible.errors import TooManyRequests

READING = 5
"""Tokens for a proof; a verification reads many objects and costs more."""
VERIFYING = 20
EXPORTING = 50


class OrgLimits:
    """`rate` tokens a second, at most `burst` at once; a token is one record."""

    def __init__(self, *, rate: int, burst: int) -> None:
        self._limiter = Limiter(rate, burst, MemoryStorage())

    def spend(self, org_id: str, tokens: int) -> None:
        """Raises TooManyRequests when the organisation has not that many left."""
        if not self._limiter.consume(org_id, tokens):
            raise TooManyRequests("more requests than this organisation's share; try again in a second")
