# SPDX-License-Identifier: Apache-2.0
"""Asked by the workflow, once for each batch of a round: {"organisations": [NAME, …]}."""

from __future__ import annotations

from typing import Any

from indelible.entry import bootstrap, scheduled


def handler(event: dict[str, Any], context: scheduled.LambdaContext) -> dict[str, Any]:
    """Anchor the batch and say what was done."""
    return scheduled.anchor(event, context, rounds=bootstrap.rounds, telemetry=bootstrap.telemetry())
