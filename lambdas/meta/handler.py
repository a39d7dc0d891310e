# SPDX-License-Identifier: Apache-2.0
"""The meta function: GET /health, GET /v1/keys, GET /openapi.json."""

from __future__ import annotations

from typing import Any

from indelible.entry import rest
from indelible.entry.bootstrap import meta, shared
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request (`entry.rest`)."""
    return rest.serve(event, context, api=meta.meta, telemetry=shared.telemetry(), clock=shared.clock())
