# SPDX-License-Identifier: Apache-2.0
"""The prove function: POST /v1/prove and POST /v1/consistency."""

from __future__ import annotations

from typing import Any

from indelible.entry import rest
from indelible.entry.bootstrap import prove, shared
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP request (`entry.rest`)."""
    return rest.serve(event, context, api=prove.proof_api, telemetry=shared.telemetry(), clock=shared.clock())
