# SPDX-License-Identifier: Apache-2.0
"""The HTTP API and its functions: routes, limits, logs without payloads, settings without secrets."""

from __future__ import annotations

import json

import pytest

from tests.infra.synth import Json, Synthesized


def function(synthesized: Synthesized, name: str) -> Json:
    properties: Json = synthesized.one("AWS::Lambda::Function", f"{name.capitalize()}Function")["Properties"]
    return properties


def test_routes_reach_their_functions_and_there_are_no_others(prod: Synthesized) -> None:
    integrations = {i: r["Properties"] for i, r in prod.resources("AWS::ApiGatewayV2::Integration")}
    reached = {}
    for _, route in prod.resources("AWS::ApiGatewayV2::Route"):
        (integration,) = (i for i in integrations if i in json.dumps(route["Properties"]["Target"]))
        uri = prod.render(integrations[integration]["IntegrationUri"])
        reached[route["Properties"]["RouteKey"]] = uri
    assert reached == {
        "POST /v1/record": "<RecordFunction.Arn>",
        "POST /v1/record/batch": "<RecordFunction.Arn>",
        "POST /v1/prove": "<ProveFunction.Arn>",
        "POST /v1/consistency": "<ProveFunction.Arn>",
        "POST /v1/verify": "<VerifyFunction.Arn>",
        "POST /v1/export": "<ExportFunction.Arn>",
        "ANY /mcp": "<McpFunction.Arn>",
        "OPTIONS /mcp": "<McpFunction.Arn>",
        "GET /health": "<MetaFunction.Arn>",
        "GET /v1/keys": "<MetaFunction.Arn>",
        "GET /openapi.json": "<MetaFunction.Arn>",
    }
    assert len(integrations) == 6, "one integration per function"
    assert {i["PayloadFormatVersion"] for i in integrations.values()} == {"2.0"}


def test_the_api_may_invoke_only_through_its_own_routes(prod: Synthesized) -> None:
    for logical_id, permission in prod.resources("AWS::Lambda::Permission"):
        source = prod.render(permission["Properties"]["SourceArn"])
        assert permission["Properties"]["Principal"] == "apigateway.amazonaws.com"
        assert source.partition("<HttpApi>/*/*/")[2] in {
            "v1/record",
            "v1/record/batch",
            "v1/prove",
            "v1/consistency",
            "v1/verify",
            "v1/export",
            "v1/keys",
            "mcp",
            "health",
            "openapi.json",
        }, logical_id


def test_every_route_is_throttled(prod: Synthesized, dev: Synthesized) -> None:
    for synthesized, rate, burst in ((prod, 200, 400), (dev, 7, 9)):
        stage = synthesized.one("AWS::ApiGatewayV2::Stage")["Properties"]
        assert stage["StageName"] == "$default"
        assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == rate
        assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == burst
        assert "RouteSettings" not in stage


def test_access_is_logged_without_payloads(prod: Synthesized) -> None:
    settings = prod.one("AWS::ApiGatewayV2::Stage")["Properties"]["AccessLogSettings"]
    assert prod.render(settings["DestinationArn"]).endswith(":log-group:<HttpApiAccessLogs>")
    fields = json.loads(settings["Format"])
    assert {"requestId", "route", "status", "latencyMs"} <= set(fields)
    # There is no body variable in an HTTP API; headers and query strings could still carry secrets.
    assert not any(word in settings["Format"].lower() for word in ("body", "header", "authorizer", "querystring"))


@pytest.mark.parametrize(
    ("name", "timeout"),
    [
        ("record", 27),
        ("prove", 27),
        ("verify", 27),
        ("export", 27),
        ("mcp", 27),
        ("meta", 27),
        ("plan", 30),
        ("anchor", 240),
    ],
)
def test_functions_run_the_newest_python_on_arm64(prod: Synthesized, name: str, timeout: int) -> None:
    properties = function(prod, name)
    assert properties["Runtime"] == "python3.14"
    assert properties["Architectures"] == ["arm64"]
    assert properties["Handler"] == "handler.handler"
    assert (properties["Timeout"], properties["MemorySize"]) == (timeout, 1769)
    assert len(properties["Layers"]) == 1
    assert "LogGroup" in properties["LoggingConfig"]


COMMON = {
    "INDELIBLE_LEDGER_NAME": "indelible",
    "INDELIBLE_BUCKET": "<EvidenceBucket>",
    "INDELIBLE_TABLE": "<LedgerTable>",
    "INDELIBLE_LOCK_MODE": "COMPLIANCE",
    "INDELIBLE_RETENTION_DAYS": "2555",
    "INDELIBLE_SIGNING_KEY_IDS": "<SigningKey>",
    "POWERTOOLS_SERVICE_NAME": "indelible",
    "POWERTOOLS_METRICS_NAMESPACE": "Indelible",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


@pytest.mark.parametrize("name", ["record", "prove", "verify", "mcp"])
def test_settings_of_the_functions_that_authenticate(prod: Synthesized, dev: Synthesized, name: str) -> None:
    own = {"INDELIBLE_ALLOWED_ORIGINS": ""} if name == "mcp" else {}
    assert prod.render(function(prod, name)["Environment"]["Variables"]) == COMMON | own | {
        "INDELIBLE_SECRET_ARN": "<MasterSecret>",
        "INDELIBLE_AUTH": "hmac",
        "INDELIBLE_STRICT_SIGNATURES": "false",
        "INDELIBLE_ORG_RATE": "50",
        "INDELIBLE_ORG_BURST": "200",
        "INDELIBLE_ANCHOR_PERIOD_SECONDS": "300",
    }
    strict = function(dev, name)["Environment"]["Variables"]
    assert strict["INDELIBLE_STRICT_SIGNATURES"] == "true"
    assert (strict["INDELIBLE_LOCK_MODE"], strict["INDELIBLE_RETENTION_DAYS"]) == ("GOVERNANCE", "1")


def test_the_export_endpoint_knows_where_exports_are_and_who_packs(prod: Synthesized, dev: Synthesized) -> None:
    told = prod.render(function(prod, "export")["Environment"]["Variables"])
    record = prod.render(function(prod, "record")["Environment"]["Variables"])
    assert {name: value for name, value in told.items() if name not in record} == {
        "INDELIBLE_EXPORTS_BUCKET": "<ExportsBucket>",
        "INDELIBLE_EXPORTS_DAYS": "7",
        "INDELIBLE_PACK_FUNCTION": "<ExportsPackFunction>",
    }
    assert function(dev, "export")["Environment"]["Variables"]["INDELIBLE_EXPORTS_DAYS"] == "1"


def test_the_anchor_does_not_know_where_the_secret_is(prod: Synthesized) -> None:
    assert prod.render(function(prod, "anchor")["Environment"]["Variables"]) == COMMON


def test_what_is_public_knows_the_key_and_no_secret(prod: Synthesized) -> None:
    environment = prod.render(function(prod, "meta")["Environment"]["Variables"])
    assert environment == COMMON


def test_every_log_group_ends_some_day_and_production_keeps_it(prod: Synthesized, dev: Synthesized) -> None:
    for synthesized, days, policy in ((prod, 365, "Retain"), (dev, 7, "Delete")):
        groups = dict(synthesized.resources("AWS::Logs::LogGroup"))
        assert len(groups) >= 5
        for logical_id, group in groups.items():
            assert group["Properties"]["RetentionInDays"] == days, logical_id
            assert group["DeletionPolicy"] == policy, logical_id


def test_the_output_is_the_url_without_a_trailing_slash(prod: Synthesized) -> None:
    outputs = prod.template("api")["Outputs"]
    assert prod.render(outputs["ApiUrl"]["Value"]) == "<HttpApi.ApiEndpoint>"
