# SPDX-License-Identifier: Apache-2.0
"""An HTTP API with one integration per function, throttled, its access logged without payloads.

Invariant: with ``auth=jwt`` or ``auth=iam`` every route has the authorizer but those that are public on purpose.
"""

from __future__ import annotations

import json

from aws_cdk import (
    ArnFormat,
    Stack,
)
from aws_cdk import (
    aws_apigatewayv2 as apigw,
)
from aws_cdk import (
    aws_apigatewayv2_authorizers as authorizers,
)
from aws_cdk import (
    aws_apigatewayv2_integrations as integrations,
)
from aws_cdk import (
    aws_lambda as lambda_,
)
from aws_cdk import (
    aws_logs as logs,
)
from constructs import Construct

from infra.config import LedgerConfig
from infra.nag import acknowledge, hipaa_and_nist

_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "sourceIp": "$context.identity.sourceIp",
    "userAgent": "$context.identity.userAgent",
    "route": "$context.routeKey",
    "protocol": "$context.protocol",
    "status": "$context.status",
    "responseBytes": "$context.responseLength",
    "latencyMs": "$context.responseLatency",
    "integrationLatencyMs": "$context.integrationLatency",
    "integrationStatus": "$context.integrationStatus",
    "error": "$context.error.message",
    "integrationError": "$context.integrationErrorMessage",
}
#: The caller's identity, where the gateway knows it. Under auth=hmac it does not; the records name their organisation.
_CALLER = {
    "jwt": {"caller": "$context.authorizer.claims.sub"},
    "iam": {"caller": "$context.identity.userArn"},
}


class LedgerHttpApi(Construct):
    """HTTP API with a ``$default`` stage; routes are added by the stack that owns the functions."""

    def __init__(self, scope: Construct, construct_id: str, *, config: LedgerConfig) -> None:
        super().__init__(scope, construct_id)
        self._authorizer = _authorizer(config)
        self.api = apigw.HttpApi(
            self,
            "Api",
            api_name=f"{config.ledger_name}-api",
            description=f"Indelible ledger '{config.ledger_name}'",
            create_default_stage=False,
        )
        access_logs = logs.LogGroup(
            self,
            "AccessLogs",
            retention=config.log_retention,
            removal_policy=config.removal_policy,
        )
        self.stage = apigw.CfnStage(
            self,
            "Stage",
            api_id=self.api.api_id,
            stage_name="$default",
            auto_deploy=True,
            access_log_settings=apigw.CfnStage.AccessLogSettingsProperty(
                # The group itself: log_group_arn ends in ":*", which means its streams.
                destination_arn=Stack.of(self).format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=access_logs.log_group_name,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                ),
                format=json.dumps(_ACCESS_LOG | _CALLER.get(config.auth, {})),
            ),
            default_route_settings=apigw.CfnStage.RouteSettingsProperty(
                detailed_metrics_enabled=True,
                throttling_rate_limit=config.throttle_rate,
                throttling_burst_limit=config.throttle_burst,
            ),
        )
        acknowledge(
            access_logs,
            "Access logs hold the route, the caller's address and timings, never a body or a header; "
            "CloudWatch encrypts them at rest under its own key.",
            *hipaa_and_nist("CloudWatchLogGroupEncrypted"),
        )

    @property
    def url(self) -> str:
        """Base URL, without a trailing slash."""
        return self.api.api_endpoint

    def route(self, function: lambda_.IFunction, *routes: str, name: str, public: bool, open_because: str) -> None:
        """Lead routes such as ``POST /v1/record`` to the function, through one integration (payload format 2.0).

        ``open_because`` says why the gateway itself admits every caller, where it does: where the route is
        ``public``, and where the functions authenticate.
        """
        integration = integrations.HttpLambdaIntegration(
            f"{name}-integration", function, payload_format_version=apigw.PayloadFormatVersion.VERSION_2_0
        )
        for route in routes:
            method, path = route.split()
            # A browser's preflight carries no credentials, whatever the request after it does.
            authorizer = None if public or method == "OPTIONS" else self._authorizer
            for added in self.api.add_routes(
                path=path, methods=[apigw.HttpMethod(method)], integration=integration, authorizer=authorizer
            ):
                if authorizer is None:
                    acknowledge(added, open_because, "AwsSolutions-APIG4")


def _authorizer(config: LedgerConfig) -> apigw.IHttpRouteAuthorizer | None:
    """What API Gateway checks before it calls a function; nothing where the functions check signatures."""
    if config.auth == "iam":
        return authorizers.HttpIamAuthorizer()
    if config.auth == "jwt" and config.jwt_issuer and config.jwt_audience:
        # The token comes as `Authorization: Bearer …` (RFC 6750). Signature (RSA), iss, aud, exp, nbf and iat are
        # the gateway's business, and with it the issuer's keys.
        return authorizers.HttpJwtAuthorizer(
            "Tokens",
            config.jwt_issuer,
            jwt_audience=list(config.jwt_audience),
            authorizer_name=f"{config.ledger_name}-tokens",
        )
    return None
