# SPDX-License-Identifier: Apache-2.0
"""Starting and stopping without deploying: ports, other emulators, and leftovers of interrupted sessions."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from local import emulator, ledger
from local.state import LocalError, State
from tests.free_port import free_port


def test_a_port_in_use_is_one_clear_line(tmp_path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LocalError, match=rf"port {port} is in use .* make up PORT={port + 1}"):
            emulator.start(State(tmp_path), port)
    assert State(tmp_path).load() is None


def test_two_emulators_do_not_disturb_each_other_and_nothing_is_left(tmp_path) -> None:
    one, two = State(tmp_path / "one"), State(tmp_path / "two")
    try:
        first = emulator.start(one, free_port(), owned=True)
        second = emulator.start(two, free_port(), owned=True)
        assert emulator.healthy(first.port)
        assert emulator.healthy(second.port)
        emulator.stop(one)
        assert not emulator.healthy(first.port)
        assert emulator.running(one) is None
        assert emulator.healthy(second.port)
        # Its owner lives: a sweep leaves it alone.
        emulator.stop_abandoned(tmp_path)
        assert emulator.running(two) == second
        # Its owner is gone: a sweep ends it.
        two.save(replace(second, owner_started="ticks:1"))
        emulator.stop_abandoned(tmp_path)
        assert emulator.running(two) is None
        assert not emulator.healthy(second.port)
        assert not two.temporary.exists()
    finally:
        emulator.stop(one)
        emulator.stop(two)


def test_an_emulator_that_cannot_start_says_why_and_leaves_nothing(tmp_path, monkeypatch) -> None:
    state = State(tmp_path)
    port = free_port()
    monkeypatch.setattr(emulator, "_environment", lambda *_: {"GATEWAY_PORT": "no number"})
    with pytest.raises(LocalError, match=r"ended immediately .*ValueError"):
        emulator.start(state, port)
    assert state.load() is None


def test_a_deployment_that_fails_stops_the_emulator_that_it_needed(tmp_path, monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise LocalError("refused")

    monkeypatch.setattr("local.deploy.deploy", refuse)
    port = free_port()
    with pytest.raises(LocalError, match="refused"):
        ledger.up(port=port, directory=tmp_path, owned=True)
    assert emulator.running(State(tmp_path)) is None
    assert not emulator.healthy(port)


def test_down_is_content_where_nothing_ever_ran(tmp_path) -> None:
    assert ledger.down(directory=tmp_path / "never") is None
    assert not (tmp_path / "never").exists()
