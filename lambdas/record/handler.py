# SPDX-License-Identifier: Apache-2.0
"""POST /v1/record, POST /v1/record/batch."""

from __future__ import annotations

from typing import Any

from indelible.entry import bootstrap, rest


def handler(event: dict[str, Any], context: rest.LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return rest.serve(event, context, door=bootstrap.recorder, telemetry=bootstrap.telemetry(), clock=bootstrap.clock())
