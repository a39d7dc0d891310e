# SPDX-License-Identifier: Apache-2.0
"""Wiring of the mcp function.

Invariant: a tool is the operation that the function of its REST route serves, built by the same code.
"""

from __future__ import annotations

from functools import cache

from indelible.entry.bootstrap import prove, record, shared, verify
from indelible.entry.mcp import McpServer


@cache
def mcp_server() -> McpServer:
    """The operations of all three tools."""
    routes = (record.record_api().routes, prove.proof_api().routes, verify.verify_api().routes)
    return McpServer.of(*routes, allowed_origins=shared.settings().allowed_origins)
