# SPDX-License-Identifier: Apache-2.0
"""Authentication to a ledger deployed with `auth=jwt`. For `auth=iam` see `indelible.aws.sigv4`."""

from __future__ import annotations

from collections.abc import Callable, Generator

import httpx


class BearerToken(httpx.Auth):
    """Sends bearer tokens of your identity provider (RFC 6750 §2.1).

    `fetch` returns a token. It is called before the first request, and again whenever the gateway answers 401.
    """

    def __init__(self, fetch: Callable[[], str]) -> None:
        self._fetch = fetch
        self._token: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See httpx.Auth."""
        known = self._token
        self._token = known or self._fetch()
        answer = yield self._with_token(request)
        if answer.status_code == httpx.codes.UNAUTHORIZED and known is not None:  # the token has expired
            self._token = self._fetch()
            yield self._with_token(request)

    def _with_token(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
