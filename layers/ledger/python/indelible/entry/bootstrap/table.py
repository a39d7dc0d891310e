# SPDX-License-Identifier: Apache-2.0
"""The adapters of the table.

Invariant: they share one client.
"""

from __future__ import annotations

from functools import cache

from indelible.aws.dynamo_index import DynamoIndex, DynamoNews
from indelible.aws.dynamo_journal import DynamoJournal
from indelible.aws.dynamo_orgs import DynamoOrganisations
from indelible.entry.bootstrap import shared


@cache
def journal() -> DynamoJournal:
    """The heads of the chains, and the outbox."""
    return DynamoJournal(client=shared.dynamodb(), table=shared.settings().table)


@cache
def index() -> DynamoIndex:
    """Finds records by audit_id or tx_hash."""
    return DynamoIndex(client=shared.dynamodb(), table=shared.settings().table)


@cache
def news() -> DynamoNews:
    """Organisations with records to anchor."""
    return DynamoNews(client=shared.dynamodb(), table=shared.settings().table)


@cache
def organisations() -> DynamoOrganisations:
    """Organisations and their keys."""
    return DynamoOrganisations(client=shared.dynamodb(), table=shared.settings().table, clock=shared.clock())
