# SPDX-License-Identifier: Apache-2.0
"""For the plan function."""

from __future__ import annotations

from functools import cache

from indelible.aws.dynamo_rounds import DynamoRoundStarts
from indelible.entry.bootstrap import shared, table
from indelible.services.planner import Planner


@cache
def planner() -> Planner:
    """Chooses who is anchored."""
    return Planner(
        news=table.news(),
        organisations=table.organisations(),
        clock=shared.clock(),
        concurrency=shared.settings().anchor_concurrency,
    )


@cache
def round_starts() -> DynamoRoundStarts:
    """When rounds began."""
    return DynamoRoundStarts(client=shared.dynamodb(), table=shared.settings().table)
