# SPDX-License-Identifier: Apache-2.0
"""The function that packs exports, and what the export endpoint needs to invoke it."""

from __future__ import annotations

from aws_cdk import Duration, Size
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import export_permissions, permissions
from infra.bundling import PDF_LAYER_DIR, Bundling
from infra.config import LedgerConfig
from infra.constructs.ledger_function import LedgerFunction
from infra.constructs.ledger_layer import LedgerLayer
from infra.environment import exports_environment, ledger_environment
from infra.ledger_stack import LedgerStack
from infra.nag import acknowledge, hipaa_and_nist

#: An evidence page is made in memory and takes several times its 64 MiB of records meanwhile.
_MEMORY_MB = 3008
#: `/tmp`, which holds records and receipts until the archive is uploaded from them: Lambda's maximum.
_ROOM = Size.gibibytes(10)
#: Together shorter than `STALE_MS` of services/export_jobs.py, after which an export is begun anew: two runs of one
#: export never meet.
_QUEUED, _RUNNING = Duration.minutes(2), Duration.minutes(15)


class Exports(Construct):
    """``lambdas/pack``: invoked by the export endpoint alone, for a quarter of an hour at most."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: LedgerConfig,
        ledger: LedgerStack,
        layer: lambda_.ILayerVersion,
        bundling: Bundling,
    ) -> None:
        super().__init__(scope, construct_id)
        packer = LedgerFunction(
            self,
            "Pack",
            config=config,
            name="pack",
            layer=layer,
            extra_layers=[LedgerLayer(self, "PdfLayer", bundling=bundling, source=PDF_LAYER_DIR).version],
            timeout=_RUNNING,
            environment=ledger_environment(config, ledger) | exports_environment(config, ledger),
            statements=export_permissions.packer(
                bucket=ledger.bucket, exports=ledger.exports, keys=ledger.signing_keys
            ),
            memory_mb=_MEMORY_MB,
            room=_ROOM,
        )
        # The state of an export is stored with it, and the caller asks again: nothing is done twice.
        packer.function.configure_async_invoke(retry_attempts=0, max_event_age=_QUEUED)
        acknowledge(
            packer.function,
            "An export that failed is noted as failed in the exports bucket, where its caller learns of it and asks "
            "again; an event parked in a queue would be asked for by nobody.",
            *hipaa_and_nist("LambdaDLQ"),
        )
        permissions.acknowledge_key_patterns(packer.role, bucket=ledger.bucket, seals=False)
        export_permissions.acknowledge_export_patterns(packer.role, exports=ledger.exports, packs=True)
        self.environment = exports_environment(config, ledger) | {
            "INDELIBLE_PACK_FUNCTION": packer.function.function_name
        }
        self.api_statements = export_permissions.exporter(
            bucket=ledger.bucket,
            exports=ledger.exports,
            table=ledger.table,
            secret=ledger.secret,
            packs=packer.function,
        )
