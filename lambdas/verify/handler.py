# SPDX-License-Identifier: Apache-2.0
"""The verify function: POST /v1/verify."""

from __future__ import annotations

from typing import Any

from indelible.entry import rest
from indelible.entry.bootstrap import shared, verify
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request (`entry.rest`)."""
    return rest.serve(event, context, api=verify.verify_api, telemetry=shared.telemetry(), clock=shared.clock())
