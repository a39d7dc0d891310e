# SPDX-License-Identifier: Apache-2.0
"""Records as a table: one object, one row, read in place.

Invariant: only records are read. A partition is one day of one organisation, and its place is the prefix
`{org}/{YYYY}/{MM}/{DD}/`, below which nothing but records can be written (infra/constructs/evidence_bucket.py); the
logs are below `{org}/_log/`, which is no day.

Athena shows the newest version of an object, behind a delete marker none at all. So a query is a view and not
evidence: what it shows is proved by its `audit_id`, and what it does not show by verifying the chain.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import LedgerConfig

TABLE = "records"
#: No ledger is older.
FIRST_DAY = "2026/01/01"

_EVENT = (
    "event_type:string,level:string,actor:string,action:string,target:string,reason:string,"
    "trace_id:string,correlation_id:string,occurred_at:string,"
    "aow_context:struct<intent_id:string,agent_urn:string,policy_urn:string,outcome:string>,"
    "regulatory:struct<regulations:array<string>,rule_citations:array<string>,confidence:double,"
    "human_override:struct<overridden:boolean,operator:string,reason:string>>,"
    "sanitized_paths:array<string>,"
    # Any object at all: as its JSON text.
    "payload:string"
)
#: As the record format has them (docs/format.md).
COLUMNS = {
    "audit_id": "string",
    "event": f"struct<{_EVENT}>",
    "format": "string",
    "governor_key_id": "string",
    "governor_signature": "string",
    "lock_mode": "string",
    "org_id": "string",
    "prev_hash": "string",
    "retain_until": "string",
    "sequence": "bigint",
    "timestamp": "string",
}


class RecordTable(Construct):
    """Glue database and table with partition projection: no crawler, no partition that could be forgotten."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: LedgerConfig,
        bucket: s3.IBucket,
        organisations: Sequence[str],
    ) -> None:
        super().__init__(scope, construct_id)
        account = Stack.of(self).account
        self.database_name = f"{config.ledger_name.replace('-', '_')}_auditor"
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.database_name, description=f"Records of the Indelible ledger '{config.ledger_name}'"
            ),
        )
        table = glue.CfnTable(
            self,
            "Table",
            catalog_id=account,
            database_name=self.database_name,
            table_input=glue.CfnTable.TableInputProperty(
                name=TABLE,
                description="One record, one row. A view, not evidence: see docs/auditor-access.md",
                table_type="EXTERNAL_TABLE",
                partition_keys=[
                    glue.CfnTable.ColumnProperty(name="org", type="string"),
                    glue.CfnTable.ColumnProperty(name="day", type="string"),
                ],
                parameters={
                    "EXTERNAL": "TRUE",
                    "projection.enabled": "true",
                    "projection.org.type": "enum",
                    "projection.org.values": ",".join(organisations),
                    "projection.day.type": "date",
                    "projection.day.format": "yyyy/MM/dd",
                    "projection.day.range": f"{FIRST_DAY},NOW",
                    "projection.day.interval": "1",
                    "projection.day.interval.unit": "DAYS",
                    "storage.location.template": f"s3://{bucket.bucket_name}/${{org}}/${{day}}/",
                },
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[glue.CfnTable.ColumnProperty(name=name, type=type_) for name, type_ in COLUMNS.items()],
                    location=f"s3://{bucket.bucket_name}/",
                    input_format="org.apache.hadoop.mapred.TextInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library="org.openx.data.jsonserde.JsonSerDe",
                        # What is no record must stop the query: leaving it out would hide it.
                        parameters={"ignore.malformed.json": "false", "case.insensitive": "false"},
                    ),
                ),
            ),
        )
        table.add_resource_dependency(database)
        self.table = table
