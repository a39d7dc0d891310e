# SPDX-License-Identifier: Apache-2.0
"""Wiring of the plan function.

Invariant: it reads and writes the table only.
"""

from __future__ import annotations

from functools import cache

from indelible.aws.dynamo_rounds import DynamoRoundStarts
from indelible.entry.bootstrap import shared, table
from indelible.services.planner import Planner


@cache
def planner() -> Planner:
    """Chooses the organisations to anchor."""
    return Planner(
        news=table.news(),
        organisations=table.organisations(),
        clock=shared.clock(),
        concurrency=shared.settings().anchor_concurrency,
    )


@cache
def round_starts() -> DynamoRoundStarts:
    """The start times of rounds."""
    return DynamoRoundStarts(client=shared.dynamodb(), table=shared.settings().table)
