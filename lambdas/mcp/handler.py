# SPDX-License-Identifier: Apache-2.0
"""ANY /mcp."""

from __future__ import annotations

from typing import Any

from indelible.entry import bootstrap, mcp, rest


def handler(event: dict[str, Any], context: rest.LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return mcp.serve(event, context, door=bootstrap.mcp, telemetry=bootstrap.telemetry(), clock=bootstrap.clock())
