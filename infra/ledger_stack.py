# SPDX-License-Identifier: Apache-2.0
"""What must outlive everything: the bucket, the table, the key and the secret. No code runs here."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.config import LedgerConfig
from infra.constructs.deletion_trail import DeletionTrail
from infra.constructs.evidence_bucket import EvidenceBucket
from infra.constructs.exports_bucket import ExportsBucket
from infra.constructs.ledger_table import LedgerTable
from infra.constructs.logs_bucket import LogsBucket
from infra.constructs.master_secret import MasterSecret
from infra.constructs.signing_key import SigningKey


class LedgerStack(Stack):
    """Stateful: kept for good and protected from termination in production."""

    def __init__(self, scope: Construct, construct_id: str, *, config: LedgerConfig) -> None:
        super().__init__(
            scope,
            construct_id,
            description=f"Indelible ledger '{config.ledger_name}': the evidence and what orders it",
            termination_protection=config.is_prod,
        )
        self.logs = logs = LogsBucket(self, "Logs", config=config).bucket
        self.bucket = EvidenceBucket(self, "Evidence", config=config, logs=logs).bucket
        self.exports = ExportsBucket(self, "Exports", config=config, logs=logs).bucket
        self.table = LedgerTable(self, "Ledger", config=config).table
        self.signer_role_name = f"{config.ledger_name}-anchor-{self.region}"
        signer = self.format_arn(service="iam", region="", resource="role", resource_name=self.signer_role_name)
        # All generations, oldest first: what an old key signed is checked with it for as long as it is kept.
        self.signing_keys = [
            SigningKey(
                self,
                _key_name(generation),
                config=config,
                signer_role_arn=signer,
                description=f"generation {generation}",
            ).key
            for generation in range(1, config.signing_keys + 1)
        ]
        self.ml_dsa_key: kms.Key | None = None
        if config.ml_dsa:
            self.ml_dsa_key = SigningKey(
                self,
                "MlDsaKey",
                config=config,
                signer_role_arn=signer,
                description="the second line",
                spec=kms.KeySpec.ML_DSA_44,
            ).key
        self.all_keys = [*self.signing_keys, *([self.ml_dsa_key] if self.ml_dsa_key else [])]
        self.secret = MasterSecret(self, "MasterSecret", config=config).secret
        if config.watch_deletes:
            DeletionTrail(self, "DeletionTrail", config=config, evidence=self.bucket, logs_bucket=logs)

        for name, value in {
            "BucketName": self.bucket.bucket_name,
            "ExportsBucketName": self.exports.bucket_name,
            "TableName": self.table.table_name,
            "SecretArn": self.secret.secret_arn,
            "SigningKeyIds": ",".join(key.key_id for key in self.signing_keys),
            "LedgerName": config.ledger_name,
            "LockMode": config.lock_mode,
            "RetentionDays": str(config.retention_days),
        }.items():
            CfnOutput(self, name, value=value)


def _key_name(generation: int) -> str:
    """The first generation has none in its name: ledgers were deployed before there were generations."""
    return "SigningKey" if generation == 1 else f"SigningKey{generation}"
