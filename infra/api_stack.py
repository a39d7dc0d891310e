# SPDX-License-Identifier: Apache-2.0
"""The HTTP API and its functions. Stateless: may be deleted and deployed again at any time."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import export_permissions, permissions
from infra.bundling import Bundling
from infra.config import LedgerConfig
from infra.constructs.exports import Exports
from infra.constructs.http_api import LedgerHttpApi
from infra.constructs.ledger_function import LedgerFunction
from infra.constructs.ledger_layer import LedgerLayer
from infra.environment import api_environment, ledger_environment, second_line_environment
from infra.ledger_stack import LedgerStack
from infra.nag import acknowledge, hipaa_and_nist

#: Why routes have no authorizer at the gateway (cdk-nag asks for one): those of auth=hmac, and the public ones.
_SIGNED = (
    "The function authenticates every request itself, by HMAC over the arguments under the organisation's secret "
    "and in constant time, before it touches the ledger."
)
_PUBLIC = "Public on purpose: whether the ledger answers, its public keys and its contract tell nothing of a tenant."

#: API Gateway gives up after 30 seconds; a function that ends before it can still say what happened. It may have had to
#: start first, a second or two that Lambda does not count.
_REQUEST_TIMEOUT = Duration.seconds(27)


class ApiStack(Stack):
    """HTTP API: REST, MCP, and what is public."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: LedgerConfig, ledger: LedgerStack, bundling: Bundling
    ) -> None:
        super().__init__(scope, construct_id, description=f"Indelible ledger '{config.ledger_name}': the API")
        self._config = config
        self._layer = LedgerLayer(self, "Layer", bundling=bundling).version
        self._environment = api_environment(config, ledger)
        self.http_api = LedgerHttpApi(self, "HttpApi", config=config)

        bucket, table, secret, keys = ledger.bucket, ledger.table, ledger.secret, ledger.signing_keys
        records = permissions.record(bucket=bucket, table=table, secret=secret)
        proves = permissions.prove(bucket=bucket, table=table, secret=secret, keys=keys)
        verifies = permissions.verify(bucket=bucket, table=table, secret=secret, keys=keys)
        record = self._serve("record", records, "POST /v1/record", "POST /v1/record/batch")
        prove = self._serve("prove", proves, "POST /v1/prove", "POST /v1/consistency")
        verify = self._serve("verify", verifies, "POST /v1/verify")
        # All methods: the function itself says 405 to those that MCP does not have.
        self._environment = self._environment | {"INDELIBLE_ALLOWED_ORIGINS": ",".join(config.allowed_origins or ())}
        tools = permissions.tools(bucket=bucket, table=table, secret=secret, keys=keys)
        mcp = self._serve("mcp", tools, "ANY /mcp", "OPTIONS /mcp")
        for function, seals in ((record, True), (prove, False), (verify, False), (mcp, True)):
            permissions.acknowledge_key_patterns(function.role, bucket=bucket, seals=seals)

        exports = Exports(self, "Exports", config=config, ledger=ledger, layer=self._layer, bundling=bundling)
        self._environment = api_environment(config, ledger) | exports.environment
        export = self._serve("export", exports.api_statements, "POST /v1/export")
        export_permissions.acknowledge_export_patterns(export.role, exports=ledger.exports, packs=False)
        export_permissions.acknowledge_admin_patterns(export.role, bucket=bucket)

        # It authenticates no caller, so it does not get the secret's ARN.
        self._environment = ledger_environment(config, ledger) | second_line_environment(ledger)
        published = permissions.published(bucket=bucket, keys=ledger.all_keys)
        meta = self._serve("meta", published, "GET /health", "GET /v1/keys", "GET /openapi.json", public=True)
        permissions.acknowledge_key_statements(meta.role, bucket=bucket)

        CfnOutput(self, "ApiUrl", value=self.http_api.url)

    def _serve(
        self, name: str, statements: Sequence[iam.PolicyStatement], *routes: str, public: bool = False
    ) -> LedgerFunction:
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
            *hipaa_and_nist("LambdaDLQ"),
        )
        open_because = _PUBLIC if public else _SIGNED
        self.http_api.route(served.function, *routes, name=name, public=public, open_because=open_because)
        return served
