# SPDX-License-Identifier: Apache-2.0
"""The workgroup of the auditor's queries, and the bucket that keeps their results for a month. They are no evidence."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_athena as athena
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import LedgerConfig
from infra.constructs.record_table import RecordTable
from infra.nag import acknowledge, hipaa_and_nist

QUERIES = Path(__file__).resolve().parent.parent / "queries"
RESULTS_DAYS = 30
#: One query reads at most this much: at $5 for a terabyte, fifty cents.
_MOST_BYTES = 100 * 10**9


class QueryWorkgroup(Construct):
    """Athena workgroup whose settings no caller overrides, the saved queries, and the bucket of the results."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: LedgerConfig, records: RecordTable, logs: s3.IBucket
    ) -> None:
        super().__init__(scope, construct_id)
        self.results = s3.Bucket(
            self,
            "Results",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            server_access_logs_bucket=logs,
            server_access_logs_prefix="s3-access/query-results/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(RESULTS_DAYS),
                    noncurrent_version_expiration=Duration.days(1),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
            removal_policy=config.removal_policy,
        )
        acknowledge(
            self.results,
            "Results hold nothing that the records do not, and those are under SSE-S3 too (docs/adr/0001).",
            *hipaa_and_nist("S3DefaultEncryptionKMS"),
        )
        acknowledge(
            self.results,
            "Results are copies for a month; a query can be run again at any time, so nothing is replicated.",
            *hipaa_and_nist("S3BucketReplicationEnabled"),
        )
        self.name = f"{config.ledger_name}-auditor"
        workgroup = athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=self.name,
            description=f"Queries over the records of the Indelible ledger '{config.ledger_name}'",
            recursive_delete_option=not config.is_prod,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=_MOST_BYTES,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{self.results.bucket_name}/",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_S3"
                    ),
                ),
            ),
        )
        for path in sorted(QUERIES.glob("*.sql")):
            text = path.read_text(encoding="utf-8")
            query = athena.CfnNamedQuery(
                self,
                path.stem.title().replace("_", ""),
                name=path.stem.replace("_", " "),
                description=text.partition("\n")[0].removeprefix("-- "),
                database=records.database_name,
                work_group=self.name,
                query_string=text,
            )
            query.add_resource_dependency(workgroup)
            query.add_resource_dependency(records.table)
