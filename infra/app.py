# SPDX-License-Identifier: Apache-2.0
"""Composes the stacks. The caller decides how the layer is bundled and how stacks are synthesized."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import App, IReusableStackSynthesizer, Tags

from infra.anchor_stack import AnchorStack
from infra.api_stack import ApiStack
from infra.auditor_stack import AuditorStack
from infra.bundling import Bundling
from infra.config import LedgerConfig
from infra.context import file_context
from infra.ledger_stack import LedgerStack
from infra.nag import enforce_nag


@dataclass(frozen=True, kw_only=True)
class LedgerApp:
    """The stacks of one ledger, in the order in which they are deployed; the auditor's only where there is one."""

    ledger: LedgerStack
    api: ApiStack
    anchor: AnchorStack
    auditor: AuditorStack | None = None


def new_app(*, outdir: str | None = None, synthesizer: IReusableStackSynthesizer | None = None) -> App:
    """An app with cdk.json's context as its defaults; what the CDK command line hands over wins."""
    return App(context=file_context(), outdir=outdir, default_stack_synthesizer=synthesizer)


def build(app: App, config: LedgerConfig, *, bundling: Bundling) -> LedgerApp:
    """Add one ledger's stacks to ``app``, with the rule packs that they must pass at synth.

    Needs no credentials and no account: the stacks are environment-agnostic. Another synthesizer is
    the App's business (:func:`new_app`).
    """
    name = config.ledger_name
    ledger = LedgerStack(app, f"{name}-ledger", config=config)
    api = ApiStack(app, f"{name}-api", config=config, ledger=ledger, bundling=bundling)
    anchor = AnchorStack(app, f"{name}-anchor", config=config, ledger=ledger, api=api, bundling=bundling)
    auditor = AuditorStack(app, f"{name}-auditor", config=config, ledger=ledger) if config.auditor_account else None
    Tags.of(app).add("indelible:ledger", name)
    enforce_nag(app)
    return LedgerApp(ledger=ledger, api=api, anchor=anchor, auditor=auditor)
