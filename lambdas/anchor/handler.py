# SPDX-License-Identifier: Apache-2.0
"""Scheduled: {"run": "news"} every few minutes, {"run": "sweep"} every hour; or {"org_id": NAME} by hand."""

from __future__ import annotations

from typing import Any

from indelible.entry import bootstrap, scheduled


def handler(event: dict[str, Any], context: scheduled.LambdaContext) -> dict[str, Any]:
    """Anchor what is due and say what was done."""
    return scheduled.anchor(event, context, rounds=bootstrap.rounds, telemetry=bootstrap.telemetry())
