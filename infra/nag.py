# SPDX-License-Identifier: Apache-2.0
"""cdk-nag, and the one way in which a finding may be acknowledged: next to its construct, with a reason."""

from __future__ import annotations

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks
from constructs import IConstruct


def enforce_nag(app: App) -> None:
    """Run the three packs over every resource; a finding that is not acknowledged makes ``app.synth()`` raise."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), HIPAASecurityChecks(app), NIST80053R5Checks(app))


def hipaa_and_nist(rule: str) -> tuple[str, str]:
    """The ids of a rule that both packs have."""
    return f"HIPAA.Security-{rule}", f"NIST.800.53.R5-{rule}"


def acknowledge(construct: IConstruct, reason: str, *rule_ids: str) -> None:
    """Accept the named findings on ``construct`` and below it, for a reason that is true of it."""
    for rule_id in rule_ids:
        Validations.of(construct).acknowledge(Acknowledgment(id=rule_id, reason=reason))
