# SPDX-License-Identifier: Apache-2.0
"""The gate of every endpoint that is not public, and the secret behind it.

Invariant: one gate per environment, because it holds each organisation's share.
"""

from __future__ import annotations

from functools import cache

from indelible.aws.clients import client
from indelible.aws.secrets import SecretsManagerSource
from indelible.entry.bootstrap import shared, table
from indelible.entry.gate import RequestGate
from indelible.entry.limits import OrgLimits
from indelible.services.authenticate import Authenticator
from indelible.services.schemes import scheme


@cache
def gate() -> RequestGate:
    """Admits signed requests."""
    settings = shared.settings()
    authenticator = Authenticator(
        organisations=table.organisations(),
        secrets=secrets(),
        clock=shared.clock(),
        strict=settings.strict_signatures,
        scheme=scheme(settings.auth, org_claim=settings.jwt_org_claim),
    )
    return RequestGate(authenticator=authenticator, limits=OrgLimits(rate=settings.org_rate, burst=settings.org_burst))


@cache
def secrets() -> SecretsManagerSource:
    """The master secret, from which the organisations' secrets are derived."""
    return SecretsManagerSource(client=client("secretsmanager"), secret_id=shared.settings().secret_arn)
