# SPDX-License-Identifier: Apache-2.0
"""The table: trusted for liveness and ordering only, never for evidence; rebuilt from the bucket if lost."""

from __future__ import annotations

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.config import LedgerConfig
from infra.nag import acknowledge, hipaa_and_nist


class LedgerTable(Construct):
    """On-demand table `pk`/`sk` with TTL on `expires_at`. No index: nothing is looked up but by key."""

    def __init__(self, scope: Construct, construct_id: str, *, config: LedgerConfig) -> None:
        super().__init__(scope, construct_id)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.DEFAULT,
            deletion_protection=config.is_prod,
            removal_policy=config.removal_policy,
        )
        acknowledge(
            self.table,
            "Point-in-time recovery is on, and the table can be rebuilt from the bucket (G4); a backup plan "
            "would keep copies of something that is trusted for ordering only.",
            *hipaa_and_nist("DynamoDBInBackupPlan"),
        )
