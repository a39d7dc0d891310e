# SPDX-License-Identifier: Apache-2.0
"""The three rule packs run at synth, and every acknowledgment answers a finding that exists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations
from aws_cdk import aws_s3 as s3

import infra.nag
from infra.app import build, new_app
from infra.config import LedgerConfig
from tests.infra.conftest import AUDITOR
from tests.infra.synth import Synthesized, TinyBundling

PACKS = {"AwsSolutions", "HIPAA.Security", "NIST.800.53.R5"}


def report(directory: Path) -> list[dict[str, Any]]:
    reports: list[dict[str, Any]] = json.loads((directory / "validation-report.json").read_text())["pluginReports"]
    return reports


def test_synth_leaves_nothing_to_say(prod: Synthesized, dev: Synthesized, audited: Synthesized) -> None:
    for synthesized in (prod, dev, audited):
        assert [r for r in report(synthesized.directory) if r["conclusion"] != "success"] == []


def test_a_finding_that_nobody_acknowledged_stops_the_synth(tmp_path: Path) -> None:
    app = new_app(outdir=str(tmp_path))
    stacks = build(app, LedgerConfig(), bundling=TinyBundling())
    s3.Bucket(stacks.api, "Careless")
    with pytest.raises(RuntimeError, match="Validation"):
        app.synth()


@pytest.mark.parametrize(
    "config",
    [
        LedgerConfig(),
        LedgerConfig(auth="jwt", jwt_issuer="https://idp.example.com/", jwt_audience=("ledger",)),
        LedgerConfig(auth="iam"),
        LedgerConfig.from_context(AUDITOR),
    ],
    ids=lambda config: f"{config.auth}{'-audited' if config.auditor_account else ''}",
)
def test_no_acknowledgment_is_stale_and_every_reason_says_something(
    config: LedgerConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[tuple[str, str], str] = {}

    class Recorder:
        def __init__(self, path: str) -> None:
            self.path = path

        def acknowledge(self, acknowledgment: Any) -> None:
            given[self.path, acknowledgment.id] = acknowledgment.reason

    class Overheard:
        @staticmethod
        def of(construct: Any) -> Any:
            return Validations.of(construct) if App.is_app(construct) else Recorder(construct.node.path)

    monkeypatch.setattr(infra.nag, "Validations", Overheard)
    app = new_app(outdir=str(tmp_path))
    build(app, config, bundling=TinyBundling())
    with pytest.raises(RuntimeError, match="Validation"):
        app.synth()

    found = {
        (construct["constructPath"].removesuffix("/Resource"), violation["ruleName"])
        for pack in report(tmp_path)
        for violation in pack["violations"]
        if pack["pluginName"] in PACKS
        for construct in violation["violatingConstructs"]
    }
    assert {pack["pluginName"] for pack in report(tmp_path) if pack["violations"]} >= PACKS, "a pack did not run"
    assert set(given) == found
    assert all(len(reason) >= 40 for reason in given.values())
