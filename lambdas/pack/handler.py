# SPDX-License-Identifier: Apache-2.0
"""Invoked by the export function: the range to pack."""

from __future__ import annotations

from typing import Any

from indelible.entry import bootstrap, bootstrap_exports, exporting, scheduled


def handler(event: dict[str, Any], context: scheduled.LambdaContext) -> dict[str, Any]:
    """Pack it and say what was done."""
    return exporting.pack(
        event, context, packer=bootstrap_exports.packer, telemetry=bootstrap.telemetry(), clock=bootstrap.clock()
    )
