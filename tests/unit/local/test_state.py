# SPDX-License-Identifier: Apache-2.0
"""State on disk: private, atomic, and sufficient for another process to stop the ledger."""

from __future__ import annotations

import json
import stat
from dataclasses import fields

import pytest

from local.env import Outputs, aws_environment
from local.state import LocalError, Running, State, write_private

VALUES = {field.name: f"value of {field.name}" for field in fields(Outputs)}


def test_what_was_saved_is_loaded_and_private(tmp_path) -> None:
    state = State(tmp_path)
    running = Running(pid=7, started="ticks:9", port=4566, digest="ab", org={"org_id": "acme-corp"})
    state.save(running)
    assert state.load() == running
    assert stat.S_IMODE((tmp_path / "emulator.json").stat().st_mode) == 0o600


def test_a_file_that_was_readable_by_all_becomes_private(tmp_path) -> None:
    path = tmp_path / "outputs.json"
    path.write_text("old")
    path.chmod(0o644)
    (tmp_path / "outputs.new").write_text("left by a crash")
    write_private(path, {"a": 1})
    assert json.loads(path.read_text()) == {"a": 1}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_saved_means_nothing_runs(tmp_path) -> None:
    assert State(tmp_path / "never").load() is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"unknown": 1}'])
def test_a_damaged_file_is_named(tmp_path, content: str) -> None:
    (tmp_path / "emulator.json").write_text(content)
    with pytest.raises(LocalError, match=r"emulator\.json"):
        State(tmp_path).load()


def test_outputs_are_exactly_the_ten_that_clients_know(tmp_path) -> None:
    write_private(State(tmp_path).outputs, Outputs(**VALUES).as_dict())
    assert list(json.loads(State(tmp_path).outputs.read_text())) == [
        "endpoint_url",
        "region",
        "api_url",
        "bucket",
        "table",
        "ledger_name",
        "org_id",
        "key_id",
        "hmac_secret",
        "signing_key_id",
    ]
    assert Outputs.load(tmp_path) == Outputs(**VALUES)


def test_without_a_ledger_the_answer_says_what_to_do(tmp_path) -> None:
    with pytest.raises(LocalError, match="make up"):
        Outputs.load(tmp_path)


def test_the_environment_forgets_whatever_led_to_an_account() -> None:
    base = {
        "AWS_PROFILE": "production",
        "AWS_ENDPOINT_URL_S3": "https://s3.example",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ACCESS_KEY_ID": "AKIA-real",
        "HTTPS_PROXY": "http://proxy:3128",
        "NO_PROXY": "corp.example",
    }
    found = aws_environment("http://127.0.0.1:4566", base=base)
    assert "AWS_PROFILE" not in found
    assert "AWS_ENDPOINT_URL_S3" not in found
    assert "AWS_SESSION_TOKEN" not in found
    assert found["AWS_ACCESS_KEY_ID"] == "test"
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert found["NO_PROXY"] == "corp.example,127.0.0.1,localhost"
    assert base["AWS_PROFILE"] == "production"
