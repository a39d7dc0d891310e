# SPDX-License-Identifier: Apache-2.0
"""One synth of each stage for the whole session: synthesizing is the slow part."""

from __future__ import annotations

from typing import Any

import pytest

from infra.config import LedgerConfig
from tests.infra.synth import Synthesized, synthesize


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """What a customer deploys who sets nothing but an e-mail address."""
    config = LedgerConfig.from_context({"alarm_email": "ops@example.com"})
    return synthesize(tmp_path_factory.mktemp("prod"), config)


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    config = LedgerConfig.from_context(
        {
            "stage": "dev",
            "ledger_name": "trial",
            "strict_signatures": "true",
            "anchor_rate": "rate(1 minute)",
            "anchor_concurrency": "3",
            "throttle_rate": "7",
            "throttle_burst": "9",
            "watch_deletes": "false",
        }
    )
    return synthesize(tmp_path_factory.mktemp("dev"), config)


AUDITOR = {
    "auditor_account": "210987654321",
    "auditor_external_id": "x9f2kq83hs7dm1zp",
    "auditor_organisations": "acme-corp,globex",
}
COUNSEL = "arn:aws:iam::123456789012:role/counsel"


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The same as `prod`, with an auditor for two organisations, and somebody who alone may place legal holds."""
    config = LedgerConfig.from_context({**AUDITOR, "hold_operators": COUNSEL})
    return synthesize(tmp_path_factory.mktemp("audited"), config)


@pytest.fixture(scope="session")
def template(audited: Synthesized) -> dict[str, Any]:
    """The auditor's stack."""
    return audited.template("auditor")
