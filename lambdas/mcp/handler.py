# SPDX-License-Identifier: Apache-2.0
"""The mcp function: ANY /mcp."""

from __future__ import annotations

from typing import Any

from indelible.entry import mcp
from indelible.entry.bootstrap import mcp as built
from indelible.entry.bootstrap import shared
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request (`entry.mcp`)."""
    return mcp.serve(event, context, server=built.mcp_server, telemetry=shared.telemetry(), clock=shared.clock())
