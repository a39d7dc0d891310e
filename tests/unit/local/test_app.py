# SPDX-License-Identifier: Apache-2.0
"""The templates for the emulator differ from those for AWS in the listed ways only."""

from __future__ import annotations

import json
from pathlib import Path

from aws_cdk import App, CliCredentialsStackSynthesizer

from infra.app import build
from infra.config import LedgerConfig
from infra.context import file_context
from local.app import MADE_BY_CALLS, UNSUPPORTED, EmulatorBundling, drop_unsupported, leave_to_calls
from local.state import ROOT

STACKS = ("indelible-ledger", "indelible-api", "indelible-anchor", "indelible-auditor")
AUDITOR = {
    "auditor_account": "210987654321",
    "auditor_external_id": "x9f2kq83hs7dm1zp",
    "auditor_organisations": "acme-corp",
}


def synthesize(directory: Path, *, local: bool) -> dict[str, dict]:
    synthesizer = CliCredentialsStackSynthesizer(file_assets_bucket_name="assets") if local else None
    app = App(context=file_context(), outdir=str(directory), default_stack_synthesizer=synthesizer)
    build(app, LedgerConfig.from_context(AUDITOR), bundling=EmulatorBundling())
    if local:
        drop_unsupported(app)
        leave_to_calls(app)
    app.synth()
    return {name: json.loads((directory / f"{name}.template.json").read_text()) for name in STACKS}


def comparable(resource: dict) -> dict:
    """A resource without the name of the bucket that its code was uploaded to, and without a condition."""
    copy = json.loads(json.dumps(resource))
    copy.pop("Condition", None)
    for key in ("Code", "Content"):
        copy.get("Properties", {}).get(key, {}).pop("S3Bucket", None)
    return copy


def test_only_the_listed_resource_types_are_left_out(tmp_path) -> None:
    aws = synthesize(tmp_path / "aws", local=False)
    here = synthesize(tmp_path / "local", local=True)
    for stack in STACKS:
        for name, resource in aws[stack]["Resources"].items():
            if resource["Type"] in UNSUPPORTED:
                assert name not in here[stack]["Resources"]
            else:
                assert comparable(here[stack]["Resources"][name]) == comparable(resource)
                conditional = "Condition" in here[stack]["Resources"][name]
                assert conditional is (resource["Type"] in MADE_BY_CALLS)
                assert "Condition" not in resource
        assert here[stack]["Resources"].keys() <= aws[stack]["Resources"].keys()
        assert here[stack].get("Outputs") == aws[stack].get("Outputs")


def test_every_type_left_out_is_documented() -> None:
    documented = (ROOT / "docs" / "local.md").read_text(encoding="utf-8")
    for name in UNSUPPORTED | MADE_BY_CALLS:
        assert name in documented
