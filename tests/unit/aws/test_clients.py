# SPDX-License-Identifier: Apache-2.0
"""Where clients go: no request is sent."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import InvalidEndpointConfigurationError

from indelible.aws.clients import PRESIGNING, WAITING, client, s3_as
from indelible.aws.s3_exports import S3Exports
from indelible.domain.export_job import ExportJob
from indelible.domain.record import Retention
from tests.fakes.machine import ManualClock


def address(region: str, monkeypatch: pytest.MonkeyPatch, endpoint: str | None = None) -> str:
    """Of an export, without its query."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    for name, value in {"AWS_REGION": region, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(name, value)
    retention = Retention("COMPLIANCE", 7)
    store = S3Exports(client=client("s3", PRESIGNING), bucket="exports", retention=retention, clock=ManualClock())
    url = urlsplit(
        store.url(ExportJob(org_id="acme", first=1, last=2), form="bundle", sha256="0" * 64, expires_in_s=60)
    )
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url.query
    return f"{url.scheme}://{url.netloc}/{url.path.split('/')[1]}"


@pytest.mark.parametrize(
    "region", ["eu-central-1", "eu-central-2", "il-central-1", "ap-southeast-5", "mx-central-1", "us-gov-west-1"]
)
def test_an_export_s_address_is_at_its_own_region(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert address(region, monkeypatch) == f"https://exports.s3.{region}.amazonaws.com/acme"


def test_us_east_1_has_the_global_name_and_an_emulator_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    assert address("us-east-1", monkeypatch) == "https://exports.s3.amazonaws.com/acme"
    assert address("us-east-1", monkeypatch, "http://127.0.0.1:4566") == "http://127.0.0.1:4566/exports"


def longest(service: str, monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds until a call gives up when nobody answers; without the pauses in between, a second each at first."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    config = client(service).meta.config
    assert config.retries["mode"] == "standard"
    return float(config.retries["total_max_attempts"] * (config.connect_timeout + config.read_timeout))


@pytest.mark.parametrize("service", ["dynamodb", "kms", "secretsmanager"])
def test_what_is_asked_within_a_request_leaves_time_for_the_rest(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert longest(service, monkeypatch) == 6
    # Three of them and a seal within what a function has: who asks, the head, the commit.
    assert 3 * longest(service, monkeypatch) < 27
    assert longest("dynamodb", monkeypatch) + longest("s3", monkeypatch) < 25


def test_another_config_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert client("lambda", WAITING).meta.config.read_timeout == 12


def test_an_endpoint_that_is_none_is_an_error_of_the_sdk_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of an environment, of a profile and of an argument: whoever tells what AWS said has one kind to look for."""
    profile = tmp_path / "config"
    profile.write_text("[profile odd]\nregion = eu-central-1\nendpoint_url = nonsense\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profile))
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    with pytest.raises(InvalidEndpointConfigurationError, match="nonsense"):
        client("s3")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    for named in (("odd", None), (None, "nonsense")):
        with pytest.raises(InvalidEndpointConfigurationError, match="nonsense"):
            s3_as(*named)
