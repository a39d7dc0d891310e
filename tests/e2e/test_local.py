# SPDX-License-Identifier: Apache-2.0
"""What `make up` promises to whoever reads outputs.json, and that the demo's every sentence holds."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest

from local import ledger as local_ledger
from local.env import Outputs
from local.state import ROOT, LocalError
from tests.free_port import free_port


def _client(ledger: Outputs, service: str):
    return boto3.client(
        service,
        endpoint_url=ledger.endpoint_url,
        region_name=ledger.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def test_outputs_are_private_complete_and_true(ledger: Outputs, ledger_state: Path) -> None:
    path = ledger_state / "outputs.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == ledger.as_dict()
    assert ledger.org_id == "acme-corp"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/_aws/execute-api/[a-z0-9]+", ledger.api_url)
    key = _client(ledger, "kms").describe_key(KeyId=ledger.signing_key_id)["KeyMetadata"]
    assert key["KeySpec"] == "ECC_NIST_EDWARDS25519"


def test_the_api_answers_a_plain_request(ledger: Outputs) -> None:
    request = urllib.request.Request(
        f"{ledger.api_url}/v1/record", data=b"{}", headers={"content-type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    with refused.value as answer:
        assert 400 <= answer.code < 500
        assert json.load(answer)["error"]["code"]


def test_what_the_emulator_leaves_out_was_applied(ledger: Outputs) -> None:
    lock = _client(ledger, "s3").get_object_lock_configuration(Bucket=ledger.bucket)["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "COMPLIANCE", "Days": 2555}
    dynamodb = _client(ledger, "dynamodb")
    live = dynamodb.describe_time_to_live(TableName=ledger.table)["TimeToLiveDescription"]
    assert live == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    backups = dynamodb.describe_continuous_backups(TableName=ledger.table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_the_anchor_runs_every_minute(ledger: Outputs) -> None:
    scheduler = _client(ledger, "scheduler")
    found = {}
    for listed in scheduler.list_schedules()["Schedules"]:
        schedule = scheduler.get_schedule(Name=listed["Name"], GroupName=listed["GroupName"])
        found[json.loads(schedule["Target"]["Input"])["run"]] = schedule["ScheduleExpression"]
    assert found == {"news": "rate(1 minute)", "sweep": "rate(1 hour)"}


def test_up_again_does_nothing_and_another_port_is_refused(ledger: Outputs, ledger_state: Path) -> None:
    begun = time.monotonic()
    assert local_ledger.up(directory=ledger_state) == ledger
    assert time.monotonic() - begun < 5
    with pytest.raises(LocalError, match="already runs on port"):
        local_ledger.up(directory=ledger_state, port=free_port())


def test_the_demo_holds_what_it_says(ledger: Outputs, ledger_state: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "demo", "--state", str(ledger_state)],
        cwd=ROOT,
        # A person's own settings lead elsewhere; the demo must not follow them.
        env={**os.environ, "AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "SHADOWED record 3" in done.stdout
    assert "SHADOWED record 5" in done.stdout
    assert ledger.api_url in done.stdout
    assert ledger.hmac_secret not in done.stdout + done.stderr
