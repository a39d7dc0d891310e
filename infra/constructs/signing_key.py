# SPDX-License-Identifier: Apache-2.0
"""The keys that sign checkpoints. Each one's policy, not IAM, decides who signs (G5, G7).

Invariant: at most one role can call kms:Sign. The usual policy (``kms:*`` for the account) would leave
that to every identity policy in the account; here the account gets administration and reading only.
"""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.config import LedgerConfig

#: What administrators of keys in this account may still do, granted through IAM. Not among them:
#: kms:Sign, and kms:CreateGrant, which would hand it out past the policy.
_ADMINISTRATION = [
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    # Without it the key could never be managed again. A principal that has it can make itself the signer; that
    # is a management event in CloudTrail, and a second root for one tree size shows to every witness.
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateKeyDescription",
]
_READING = ["kms:DescribeKey", "kms:GetPublicKey", "kms:Verify"]


class SigningKey(Construct):
    """A key pair of one spec, sign and verify."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: LedgerConfig,
        signer_role_arn: str,
        description: str,
        spec: kms.KeySpec = kms.KeySpec.ECC_NIST_EDWARDS25519,
    ) -> None:
        """``signer_role_arn``: the only role that may sign, with every generation: a key signs its successor in.

        The role is matched by ``aws:PrincipalArn`` and not named as a principal, because it lives in a
        stack that depends on this one: a principal must exist before the key does, a condition need not.
        """
        super().__init__(scope, construct_id)
        account = iam.AccountRootPrincipal()
        statements = [
            iam.PolicyStatement(
                sid="AdministerThroughIam",
                principals=[account],
                # Scheduling deletion goes with development stacks, which delete their key.
                actions=_ADMINISTRATION
                + ([] if config.is_prod else ["kms:CancelKeyDeletion", "kms:ScheduleKeyDeletion"]),
                resources=["*"],
            ),
            iam.PolicyStatement(sid="ReadThroughIam", principals=[account], actions=_READING, resources=["*"]),
        ]
        statements += [
            iam.PolicyStatement(
                sid="SignerSigns",
                principals=[account],
                actions=["kms:Sign"],
                resources=["*"],
                conditions={"ArnEquals": {"aws:PrincipalArn": signer_role_arn}},
            ),
            iam.PolicyStatement(
                sid="NobodyElseSigns",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["kms:Sign"],
                resources=["*"],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": signer_role_arn}},
            ),
            iam.PolicyStatement(
                sid="NobodyGrants",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["kms:CreateGrant"],
                resources=["*"],
            ),
        ]
        self.key = kms.Key(
            self,
            "Key",
            description=f"Signs checkpoints of the Indelible ledger '{config.ledger_name}': {description}",
            key_spec=spec,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            policy=iam.PolicyDocument(statements=statements),
            removal_policy=config.removal_policy,
        )
