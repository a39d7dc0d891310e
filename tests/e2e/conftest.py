# SPDX-License-Identifier: Apache-2.0
"""One ledger for the whole session: started on a free port with its own state, and always stopped.

Under pytest-xdist one worker runs all end-to-end tests, in order, while the others do the rest: see one_emulator.py.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local import emulator
from local import ledger as local_ledger
from local.env import Outputs
from local.state import DEFAULT_STATE
from tests.e2e.helpers import commands, schedule
from tests.e2e.helpers.tenant import registry
from tests.free_port import free_port

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this directory."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session", autouse=True)
def _commands() -> Iterator[None]:
    yield
    commands.stop()


@pytest.fixture(scope="session")
def ledger_state(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where this session's ledger keeps its state.

    In .local/e2e-<pid>, where `make down` and the next session find and stop what a killed session left
    behind; its logs stay there after a failure.
    """
    emulator.stop_abandoned(DEFAULT_STATE)
    directory = DEFAULT_STATE / f"e2e-{os.getpid()}"
    try:
        yield directory
    finally:
        local_ledger.down(directory=directory)
        if not request.session.testsfailed:
            shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def ledger(ledger_state: Path) -> Outputs:
    """A deployed ledger with the organisation acme-corp. Its rounds come when a test asks for one."""
    ledger = local_ledger.up(port=free_port(), directory=ledger_state, owned=True)
    schedule.pause(ledger)
    return ledger


@pytest.fixture
def new_org(ledger: Outputs) -> Callable[[str], Outputs]:
    """The same ledger, seen by a new organisation of the given name with an empty chain."""

    def create(name: str) -> Outputs:
        key = registry(ledger).create(name)
        return replace(ledger, org_id=key.org_id, key_id=key.key_id, hmac_secret=key.hmac_secret)

    return create
