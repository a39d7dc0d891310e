# SPDX-License-Identifier: Apache-2.0
"""An agent's host: the official Python SDK of MCP, talking to /mcp over real HTTP, in either era of the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

T = TypeVar("T")

ERAS = {"auto": "2026-07-28", "2026-07-28": "2026-07-28", "legacy": "2025-11-25"}
"""How the SDK connects, and the revision that it then speaks with this server."""


def talk(
    url: str, mode: str, conversation: Callable[[Client], Awaitable[T]], headers: Mapping[str, str] | None = None
) -> T:
    """Connect, hold a conversation, disconnect."""

    async def run() -> T:
        async with httpx2.AsyncClient(headers=dict(headers or {}), timeout=40, trust_env=False) as http:
            transport = streamable_http_client(url, http_client=http)
            async with Client(transport, mode=mode) as client:
                return await conversation(client)

    return asyncio.run(run())


def structured(result: Any) -> dict[str, Any]:
    """The structured content of a tool result that is no error; the SDK held it against the output schema."""
    assert not result.is_error, result.content
    content: dict[str, Any] = result.structured_content
    return content
