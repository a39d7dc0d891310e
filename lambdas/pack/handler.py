# SPDX-License-Identifier: Apache-2.0
"""Invoked by the export function: the range to pack."""

from __future__ import annotations

from typing import Any

from indelible.entry import packing
from indelible.entry.bootstrap import pack, shared
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Pack it and say what was done."""
    return packing.pack(event, context, packer=pack.packer, telemetry=shared.telemetry(), clock=shared.clock())
