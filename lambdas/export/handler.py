# SPDX-License-Identifier: Apache-2.0
"""POST /v1/export."""

from __future__ import annotations

from typing import Any

from indelible.entry import bootstrap, bootstrap_exports, rest


def handler(event: dict[str, Any], context: rest.LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return rest.serve(
        event, context, door=bootstrap_exports.export_door, telemetry=bootstrap.telemetry(), clock=bootstrap.clock()
    )
