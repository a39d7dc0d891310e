# SPDX-License-Identifier: Apache-2.0
"""What one outside account may see: chosen organisations' records and logs, and queries over them.

Invariant: neither role can write, delete or unlock anything in the evidence bucket, read another organisation, or reach
the table, the keys or the secret. The reader cannot write anywhere. Deployed only when an auditor is configured, and
taken away by deleting the stack.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.config import LedgerConfig
from infra.constructs.query_workgroup import QueryWorkgroup
from infra.constructs.record_table import TABLE, RecordTable
from infra.ledger_stack import LedgerStack
from infra.nag import acknowledge, hipaa_and_nist

#: Time enough to read a large chain; a role's session is not longer than this whatever the caller asks for.
MAX_SESSION = Duration.hours(4)
#: Checkpoints of all organisations, as hashes, and external anchors of them.
LEDGER_LOG = "_ledger/_log/*"


class AuditorStack(Stack):
    """Two roles for the auditor's account: `reader` for verifying, `analyst` for queries."""

    def __init__(self, scope: Construct, construct_id: str, *, config: LedgerConfig, ledger: LedgerStack) -> None:
        super().__init__(
            scope, construct_id, description=f"Indelible ledger '{config.ledger_name}': an auditor's access"
        )
        self._config = config
        self._bucket_arn = ledger.bucket.bucket_arn
        # How a finding names a bucket of another stack: by the export that its ARN is imported from.
        self._imported = ledger.resolve(ledger.export_value(self._bucket_arn))["Fn::ImportValue"]
        organisations = config.auditor_organisations or ()
        records = RecordTable(self, "Records", config=config, bucket=ledger.bucket, organisations=organisations)
        workgroup = QueryWorkgroup(self, "Queries", config=config, records=records, logs=ledger.logs)
        logs_too = [*(f"{org}/*" for org in organisations), LEDGER_LOG]
        reader = self._role("reader", "Reader", self._reads(logs_too, versions=True))
        days = [f"{org}/????/??/??/*" for org in organisations]
        queries = [*self._reads(days, versions=False), *self._queries(records, workgroup)]
        analyst = self._role("analyst", "Analyst", queries)
        self._say_why(reader, logs_too)
        self._say_why(analyst, days)
        acknowledge(
            analyst,
            "Athena writes results under names of its own, in a bucket that holds nothing else.",
            f"AwsSolutions-IAM5[Resource::<{'.'.join(self.resolve(workgroup.results.bucket_arn)['Fn::GetAtt'])}>/*]",
        )
        for name, value in {
            "ReaderRoleArn": reader.role_arn,
            "AnalystRoleArn": analyst.role_arn,
            "Workgroup": workgroup.name,
            "Database": records.database_name,
        }.items():
            CfnOutput(self, name, value=value)

    def _role(self, kind: str, construct_id: str, statements: Sequence[iam.PolicyStatement]) -> iam.Role:
        account, external_id = self._config.auditor_account, self._config.auditor_external_id
        assert account is not None  # noqa: S101 -- infra.app adds this stack only when an auditor is configured
        role = iam.Role(
            self,
            construct_id,
            role_name=f"{self._config.ledger_name}-auditor-{kind}-{self.region}",
            description=f"The {kind} of the auditor of the Indelible ledger '{self._config.ledger_name}'",
            # The account decides who of its own may; the external id keeps it from being talked into it.
            assumed_by=iam.PrincipalWithConditions(
                iam.AccountPrincipal(account), {"StringEquals": {"sts:ExternalId": external_id}}
            ),
            max_session_duration=MAX_SESSION,
            inline_policies={kind: iam.PolicyDocument(statements=list(statements))},
        )
        acknowledge(
            role,
            "The policy is inline because it belongs to this one role and must not be attachable elsewhere.",
            *hipaa_and_nist("IAMNoInlinePolicy"),
        )
        return role

    def _reads(self, keys: Sequence[str], *, versions: bool) -> list[iam.PolicyStatement]:
        """Objects below these keys, and listings of them alone. Verifying reads versions, with their locks."""
        of_versions = ["s3:GetObjectLegalHold", "s3:GetObjectRetention", "s3:GetObjectVersion"] if versions else []
        listings = ["s3:ListBucket", "s3:ListBucketVersions"] if versions else ["s3:ListBucket"]
        prefixes = sorted({key if key == LEDGER_LOG else f"{key.partition('/')[0]}/*" for key in keys})
        return [
            iam.PolicyStatement(
                actions=["s3:GetObject", *of_versions], resources=[f"{self._bucket_arn}/{key}" for key in keys]
            ),
            iam.PolicyStatement(
                actions=listings,
                resources=[self._bucket_arn],
                conditions={"StringLike": {"s3:prefix": prefixes}},
            ),
            iam.PolicyStatement(actions=["s3:GetBucketLocation"], resources=[self._bucket_arn]),
        ]

    def _queries(self, records: RecordTable, workgroup: QueryWorkgroup) -> list[iam.PolicyStatement]:
        """Run and read queries in the one workgroup, over the one table; results go to their own bucket."""
        catalog = [
            self.format_arn(service="glue", resource="catalog"),
            self.format_arn(service="glue", resource="database", resource_name=records.database_name),
            self.format_arn(service="glue", resource="table", resource_name=f"{records.database_name}/{TABLE}"),
        ]
        group = self.format_arn(service="athena", resource="workgroup", resource_name=workgroup.name)
        results = workgroup.results.bucket_arn
        return [
            iam.PolicyStatement(
                actions=[
                    "athena:BatchGetNamedQuery",
                    "athena:GetNamedQuery",
                    "athena:GetQueryExecution",
                    "athena:GetQueryResults",
                    "athena:GetWorkGroup",
                    "athena:ListNamedQueries",
                    "athena:StartQueryExecution",
                    "athena:StopQueryExecution",
                ],
                resources=[group],
            ),
            iam.PolicyStatement(actions=["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"], resources=catalog),
            # Athena writes results in parts; these are the actions of AWS's own policy for it.
            iam.PolicyStatement(
                actions=["s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"],
                resources=[f"{results}/*"],
            ),
            iam.PolicyStatement(
                actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], resources=[results]
            ),
        ]

    def _say_why(self, role: iam.Role, keys: Sequence[str]) -> None:
        acknowledge(
            role,
            "Reads the chosen organisations' prefixes as a whole, in this one bucket: which records there will be is "
            "not known when it is deployed.",
            *(f"AwsSolutions-IAM5[Resource::{self._imported}/{key}]" for key in keys),
        )
