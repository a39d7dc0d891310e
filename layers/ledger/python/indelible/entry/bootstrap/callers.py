# SPDX-License-Identifier: Apache-2.0
"""Who asks, and how much they may: for every endpoint that is not public."""

from __future__ import annotations

from functools import cache

from indelible.aws.clients import client
from indelible.aws.secrets import SecretsManagerSource
from indelible.entry.bootstrap import shared, table
from indelible.entry.limits import OrgLimits
from indelible.services.authenticate import Authenticator
from indelible.services.schemes import scheme


@cache
def authenticator() -> Authenticator:
    """Checks who asks."""
    settings = shared.settings()
    return Authenticator(
        organisations=table.organisations(),
        secrets=secrets(),
        clock=shared.clock(),
        strict=settings.strict_signatures,
        scheme=scheme(settings.auth, org_claim=settings.jwt_org_claim),
    )


@cache
def limits() -> OrgLimits:
    """Each organisation's share of this environment."""
    return OrgLimits(rate=shared.settings().org_rate, burst=shared.settings().org_burst)


@cache
def secrets() -> SecretsManagerSource:
    """The master secret, from which those of the organisations are derived."""
    return SecretsManagerSource(client=client("secretsmanager"), secret_id=shared.settings().secret_arn)
