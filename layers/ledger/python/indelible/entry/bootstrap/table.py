# SPDX-License-Identifier: Apache-2.0
"""The adapters on the table."""

from __future__ import annotations

from functools import cache

from indelible.aws.dynamo_index import DynamoIndex, DynamoNews
from indelible.aws.dynamo_journal import DynamoJournal
from indelible.aws.dynamo_orgs import DynamoOrganisations
from indelible.entry.bootstrap import shared


@cache
def journal() -> DynamoJournal:
    """The heads and the outbox."""
    return DynamoJournal(client=shared.dynamodb(), table=shared.settings().table)


@cache
def index() -> DynamoIndex:
    """Where records are found by their ids."""
    return DynamoIndex(client=shared.dynamodb(), table=shared.settings().table)


@cache
def news() -> DynamoNews:
    """Which organisations have something new."""
    return DynamoNews(client=shared.dynamodb(), table=shared.settings().table)


@cache
def organisations() -> DynamoOrganisations:
    """The tenants and their keys."""
    return DynamoOrganisations(client=shared.dynamodb(), table=shared.settings().table, clock=shared.clock())
