# SPDX-License-Identifier: Apache-2.0
"""Settings: what they default to, and that a wrong one is refused by its name."""

from __future__ import annotations

import pytest

from infra.config import ConfigError, LedgerConfig
from infra.context import file_context
from infra.schedule_expression import ScheduleError, parse_period


def test_the_repository_deploys_production() -> None:
    config = LedgerConfig.from_context(file_context())
    assert (config.stage, config.ledger_name) == ("prod", "indelible")
    assert (config.lock_mode, config.retention_days) == ("COMPLIANCE", 2555)


def test_dev_on_the_command_line_is_enough_for_a_lock_that_ends_tomorrow() -> None:
    config = LedgerConfig.from_context(file_context() | {"stage": "dev"})
    assert (config.lock_mode, config.retention_days, config.is_prod) == ("GOVERNANCE", 1, False)


def test_development_may_ask_for_the_real_lock() -> None:
    config = LedgerConfig.from_context({"stage": "dev", "lock_mode": "COMPLIANCE", "retention_days": "2"})
    assert (config.lock_mode, config.retention_days) == ("COMPLIANCE", 2)


def test_the_command_line_wins_over_the_file_and_text_is_read_as_what_it_means() -> None:
    config = LedgerConfig.from_context(
        {
            "indelible": {"ledger_name": "from-file", "retention_days": 3650, "strict_signatures": False},
            "ledger_name": "from-command-line",
            "strict_signatures": "true",
            "watch_deletes": "false",
            "throttle_rate": "10",
            "throttle_burst": "20",
        }
    )
    assert config == LedgerConfig(
        ledger_name="from-command-line",
        retention_days=3650,
        strict_signatures=True,
        watch_deletes=False,
        throttle_rate=10,
        throttle_burst=20,
    )


def test_null_and_empty_mean_unset() -> None:
    assert LedgerConfig.from_context({"indelible": {"alarm_email": None}, "lock_mode": ""}) == LedgerConfig()


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("stage", "staging", "prod or dev"),
        ("stage", "PROD", "prod or dev"),
        ("ledger_name", "A", "a-z, 0-9 and '-'"),
        ("ledger_name", "-x", "a-z, 0-9 and '-'"),
        ("ledger_name", "a", "2 to 31"),
        ("ledger_name", "a" * 32, "2 to 31"),
        ("ledger_name", "9lives", "begin with a letter"),
        ("ledger_name", "two\nlines", "a-z, 0-9 and '-'"),
        ("ledger_name", 7, "a-z, 0-9 and '-'"),
        ("lock_mode", "compliance", "COMPLIANCE or GOVERNANCE"),
        ("retention_days", "0", "from 1 to 36,500"),
        ("retention_days", "-1", "from 1 to 36,500"),
        ("retention_days", "36501", "from 1 to 36,500"),
        ("retention_days", "7y", "from 1 to 36,500"),
        ("retention_days", "2555.5", "from 1 to 36,500"),
        ("retention_days", True, "from 1 to 36,500"),
        ("retention_days", 183, "at least 184 days"),
        ("anchor_rate", "5 minutes", "rate(5 minutes) or cron"),
        ("anchor_rate", "rate(5 minute)", "rate(1 minute) or rate(2 minutes)"),
        ("anchor_rate", "rate(1 minutes)", "rate(1 minute) or rate(2 minutes)"),
        ("anchor_rate", "rate(0 minutes)", "rate(5 minutes) or cron"),
        ("allowed_origins", "http://agents.example.com", "https origins"),
        ("allowed_origins", ["https://a.example/path"], "https origins"),
        ("allowed_origins", "*", "https origins"),
        ("hold_operators", "*", "ARNs of IAM roles or users"),
        ("hold_operators", "arn:aws:iam::123456789012:role/*", "ARNs of IAM roles or users"),
        ("hold_operators", "arn:aws:sts::123456789012:assumed-role/counsel/me", "ARNs of IAM roles or users"),
        ("hold_operators", ["arn:aws:iam::123456789012:user/a"] * 21, "1 to 20"),
        ("anchor_concurrency", "0", "from 1 to 500"),
        ("anchor_concurrency", "501", "from 1 to 500"),
        ("anchor_rate", "rate(20 minutes)", "at most rate(15 minutes)"),
        ("anchor_rate", "cron(0/15 * * * *)", "six fields"),
        ("anchor_rate", "cron(0/15 * * * * *)", "exactly one"),
        ("auth", "none", "hmac, jwt or iam"),
        ("auth", "JWT", "hmac, jwt or iam"),
        ("jwt_issuer", "idp.example.com", "https URL"),
        ("jwt_issuer", "http://idp.example.com", "https URL"),
        ("jwt_issuer", "https://", "https URL"),
        ("jwt_issuer", "https://idp.example.com/?a=b", "https URL"),
        ("jwt_issuer", "https://idp.example.com/#a", "https URL"),
        ("jwt_issuer", "https://user@idp.example.com/", "https URL"),
        ("jwt_issuer", "https://idp.example.com/ ", "https URL"),
        ("jwt_issuer", "https://[::1", "https URL"),
        ("jwt_issuer", ["https://idp.example.com/"], "https URL"),
        ("jwt_audience", " , ", "1 to 50 audiences"),
        ("jwt_audience", "a b", "1 to 50 audiences"),
        ("jwt_audience", [], "1 to 50 audiences"),
        ("jwt_audience", [7], "list of audiences"),
        ("jwt_audience", {"a": 1}, "list of audiences"),
        ("jwt_audience", [str(n) for n in range(51)], "1 to 50 audiences"),
        ("jwt_org_claim", "org id", "one claim"),
        ("jwt_org_claim", 7, "one claim"),
        ("strict_signatures", "yes", "true or false"),
        ("watch_deletes", 1, "true or false"),
        ("alarm_email", "ops", "e-mail address"),
        ("throttle_rate", "0", "from 1 to 10,000"),
        ("throttle_burst", "5001", "from 1 to 5,000"),
    ],
)
@pytest.mark.parametrize("place", ["file", "command line"])
def test_what_is_wrong_is_named_with_what_is_allowed(key: str, value: object, says: str, place: str) -> None:
    context = {key: value} if place == "command line" else {"indelible": {key: value}}
    with pytest.raises(ConfigError) as refused:
        LedgerConfig.from_context(context)
    assert f"context key '{key}'" in str(refused.value)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


ISSUER = "https://idp.example.com/"


@pytest.mark.parametrize("audience", [["ledger", "ledger-2"], "ledger,ledger-2", " ledger , ledger-2, ledger"])
def test_tokens_need_an_issuer_and_an_audience(audience: object) -> None:
    config = LedgerConfig.from_context({"auth": "jwt", "jwt_issuer": ISSUER, "jwt_audience": audience})
    assert (config.jwt_issuer, config.jwt_audience, config.jwt_org_claim) == (ISSUER, ("ledger", "ledger-2"), "org_id")


@pytest.mark.parametrize(
    ("context", "key", "says"),
    [
        ({"auth": "jwt"}, "jwt_issuer", "required with auth=jwt"),
        ({"auth": "jwt", "jwt_issuer": ISSUER}, "jwt_audience", "required with auth=jwt"),
        ({"auth": "jwt", "jwt_issuer": ISSUER, "jwt_audience": ""}, "jwt_audience", "required with auth=jwt"),
        ({"jwt_issuer": ISSUER}, "jwt_issuer", "auth is hmac"),
        ({"auth": "iam", "jwt_audience": "ledger"}, "jwt_audience", "auth is iam"),
        ({"auth": "hmac", "jwt_org_claim": "org"}, "jwt_org_claim", "auth is hmac"),
        ({"auth": "jwt", "jwt_issuer": "http://127.0.0.1:9", "jwt_audience": "a"}, "jwt_issuer", "stage=dev"),
    ],
)
def test_settings_of_tokens_belong_together(context: dict[str, object], key: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        LedgerConfig.from_context(context)
    assert f"context key '{key}'" in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"])
def test_an_issuer_on_this_machine_is_for_trials(host: str) -> None:
    context = {"stage": "dev", "auth": "jwt", "jwt_issuer": f"http://{host}", "jwt_audience": "a"}
    assert LedgerConfig.from_context(context).jwt_issuer == f"http://{host}"


@pytest.mark.parametrize("context", [{"indelible": {"retention": 9}}, {"indelible": {"lockmode": "GOVERNANCE"}}])
def test_an_unknown_setting_of_ours_is_refused_with_the_known_ones(context: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="known settings: stage, ledger_name"):
        LedgerConfig.from_context(context)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("retention_day", "retention_days"), ("lockmode", "lock_mode"), ("anchor_rates", "anchor_rate")],
)
def test_a_near_miss_on_the_command_line_is_refused(typed: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=f"did you mean '{meant}'"):
        LedgerConfig.from_context({typed: "1"})


def test_keys_of_others_are_left_alone() -> None:
    others = {"@aws-cdk/core:checkSecretUsage": True, "aws:cdk:bundling-stacks": ["**"], "team": "audit"}
    assert LedgerConfig.from_context(others) == LedgerConfig()


def test_settings_that_are_no_object_are_refused() -> None:
    with pytest.raises(ConfigError, match="must be a JSON object"):
        LedgerConfig.from_context({"indelible": "prod"})


@pytest.mark.parametrize(
    ("context", "parts"),
    [
        ({}, ["stage prod", "COMPLIANCE for 2,555 days", "RETAIN"]),
        ({"lock_mode": "GOVERNANCE"}, ["GOVERNANCE", "BypassGovernanceRetention", "not for evidence"]),
        ({}, ["auth hmac: the HMAC signature"]),
        (
            {"auth": "jwt", "jwt_issuer": "https://idp.example.com/", "jwt_audience": "a,b", "jwt_org_claim": "org"},
            ["auth jwt: tokens of https://idp.example.com/ for a or b, whose claim 'org' names"],
        ),
        ({"auth": "iam", "strict_signatures": "true"}, ["auth iam: AWS identities", "and also a signature"]),
        ({"stage": "dev"}, ["stage dev", "GOVERNANCE for 1 day (", "DESTROY"]),
    ],
)
def test_the_line_at_synth_says_what_will_be_deployed(context: dict[str, object], parts: list[str]) -> None:
    line = LedgerConfig.from_context(context).describe()
    assert "\n" not in line
    for part in parts:
        assert part in line


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [
        ("rate(1 minute)", 60),
        ("rate(5 minutes)", 300),
        ("rate(2 hours)", 7200),
        ("rate(1 day)", 86_400),
        ("cron(0/15 * * * ? *)", None),
        ("cron(0 8 ? * MON-FRI *)", None),
    ],
)
def test_schedule_expressions(expression: str, seconds: int | None) -> None:
    assert parse_period(expression) == seconds


def test_a_schedule_error_shows_a_form_that_works() -> None:
    with pytest.raises(ScheduleError, match=r"rate\(5 minutes\)"):
        parse_period("every five minutes")


def test_origins_come_as_a_list_or_as_text() -> None:
    expected = ("https://a.example", "https://b.example:8443")
    for given in (list(expected), ",".join(expected)):
        assert LedgerConfig.from_context({"allowed_origins": given}).allowed_origins == expected
