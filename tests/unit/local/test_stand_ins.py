# SPDX-License-Identifier: Apache-2.0
"""The stand-ins as a process: their addresses, the witness's list of logs, and stopping without leftovers."""

from __future__ import annotations

import json
import socket
import stat
from dataclasses import fields, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infra.config import LedgerConfig
from local.external import stand_ins
from local.external.stand_ins import Addresses
from local.process import is_same
from local.state import LocalError


def answers(url: str) -> bool:
    try:
        socket.create_connection((urlsplit(url).hostname or "", urlsplit(url).port or 0), timeout=2).close()
    except OSError:
        return False
    return True


def test_they_start_once_answer_and_end(tmp_path: Path) -> None:
    found = stand_ins.start(tmp_path)
    process = json.loads((tmp_path / "process.json").read_text())
    try:
        assert stand_ins.start(tmp_path) == found == stand_ins.running(tmp_path)
        urls = [found.timestamp_authority, found.calendar, found.witness]
        assert all(answers(url) for url in urls)
        assert all(urlsplit(url).hostname == "127.0.0.1" for url in urls)
        assert stat.S_IMODE((tmp_path / "addresses.json").stat().st_mode) == 0o600
        config = LedgerConfig.from_context(found.settings(), on_this_machine=True)
        assert config.witnesses == {found.witness_key: found.witness}
        root = Path(found.timestamp_root).read_bytes()
    finally:
        stand_ins.stop(tmp_path)
    assert stand_ins.running(tmp_path) is None
    assert not is_same(process["pid"], process["started"])
    assert not any(answers(url) for url in urls)

    again = stand_ins.start(tmp_path)
    stand_ins.stop(tmp_path)
    assert Path(again.timestamp_root).read_bytes() == root, "tokens of before can still be verified"
    assert again.witness_key != found.witness_key, "who forgot what it has seen has another name"


def test_the_witness_is_told_whom_it_may_cosign_for(tmp_path: Path) -> None:
    nowhere = Addresses(**{field.name: "" for field in fields(Addresses)})
    told = replace(nowhere, witness_logs=str(tmp_path / "logs.txt"))
    told.introduce(["a+1+x", "b+2+y"])
    told.introduce(["b+2+y"])
    assert (tmp_path / "logs.txt").read_text() == "b+2+y\n"


def test_stopping_what_never_ran_is_no_trouble(tmp_path: Path) -> None:
    stand_ins.stop(tmp_path)
    stand_ins.stop(tmp_path / "nowhere")
    assert stand_ins.running(tmp_path) is None


def test_without_openssl_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match="needs the openssl command"):
        stand_ins.start(tmp_path / "external")
    assert stand_ins.running(tmp_path / "external") is None
