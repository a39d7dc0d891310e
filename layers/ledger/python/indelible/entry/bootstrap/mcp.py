# SPDX-License-Identifier: Apache-2.0
"""For the mcp function, which has the operations of three others as tools."""

from __future__ import annotations

from functools import cache

from indelible.entry.bootstrap import prove, record, shared, verify
from indelible.entry.mcp import McpServer


@cache
def mcp_server() -> McpServer:
    """All three operations."""
    routes = (record.record_api().routes, prove.proof_api().routes, verify.verify_api().routes)
    return McpServer.of(*routes, allowed_origins=shared.settings().allowed_origins)
