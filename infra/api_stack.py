# SPDX-License-Identifier: Apache-2.0
"""The door and the functions behind it. Stateless: may be deleted and deployed again at any time."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import permissions
from infra.bundling import Bundling
from infra.config import LedgerConfig
from infra.constructs.http_api import LedgerHttpApi
from infra.constructs.ledger_function import LedgerFunction
from infra.constructs.ledger_layer import LedgerLayer
from infra.environment import door_environment
from infra.ledger_stack import LedgerStack
from infra.nag import acknowledge

#: API Gateway gives up after 30 seconds; a function that ends before it can still say what happened.
_REQUEST_TIMEOUT = Duration.seconds(29)


class ApiStack(Stack):
    """HTTP API with record, prove and verify."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: LedgerConfig, ledger: LedgerStack, bundling: Bundling
    ) -> None:
        super().__init__(scope, construct_id, description=f"Indelible ledger '{config.ledger_name}': the API")
        self._config = config
        self._layer = LedgerLayer(self, "Layer", bundling=bundling).version
        self._environment = door_environment(config, ledger)
        self.http_api = LedgerHttpApi(self, "HttpApi", config=config)

        bucket, table, secret = ledger.bucket, ledger.table, ledger.secret
        records = permissions.record(bucket=bucket, table=table, secret=secret)
        reads = permissions.read_only(bucket=bucket, table=table, secret=secret)
        record = self._serve("record", records, "/v1/record", "/v1/record/batch")
        prove = self._serve("prove", reads, "/v1/prove")
        verify = self._serve("verify", reads, "/v1/verify")
        permissions.acknowledge_key_patterns(record.role, bucket=bucket, seals=True)
        for reader in (prove, verify):
            permissions.acknowledge_key_patterns(reader.role, bucket=bucket, seals=False)

        CfnOutput(self, "ApiUrl", value=self.http_api.url)

    def _serve(self, name: str, statements: Sequence[iam.PolicyStatement], *paths: str) -> LedgerFunction:
        served = LedgerFunction(
            self,
            name.capitalize(),
            config=self._config,
            name=name,
            layer=self._layer,
            timeout=_REQUEST_TIMEOUT,
            environment=self._environment,
            statements=statements,
        )
        acknowledge(
            served.function,
            "Invoked synchronously by API Gateway: the caller gets the error, and there is no event to park.",
            "HIPAA.Security-LambdaDLQ",
            "NIST.800.53.R5-LambdaDLQ",
        )
        self.http_api.post(served.function, *paths, name=name)
        return served
