# SPDX-License-Identifier: Apache-2.0
"""The pack function. The export function invokes it for each export."""

from __future__ import annotations

from typing import Any

from indelible.entry import packing
from indelible.entry.bootstrap import pack, shared
from indelible.entry.invocation import LambdaContext


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Pack one export, and return its state (`entry.packing`)."""
    return packing.pack(event, context, packer=pack.packer, telemetry=shared.telemetry(), clock=shared.clock())
