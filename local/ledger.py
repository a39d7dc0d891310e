# SPDX-License-Identifier: Apache-2.0
"""Starts and stops a local ledger, for the command line and for tests.

Invariant: when `up` returns, the ledger described by outputs.json answers and runs the current sources; when it
raises, no emulator that it started is left.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from local import emulator
from local.env import Outputs, use_emulator
from local.external import stand_ins
from local.state import DEFAULT_STATE, LocalError, Running, State, write_private

DEFAULT_PORT = 4566
ORG = "acme-corp"


class Steps(Protocol):
    """Reports progress."""

    def __call__(self, title: str) -> contextlib.AbstractContextManager[None]:
        """A context manager that is entered when a step begins, and left when it is done."""
        ...


@contextlib.contextmanager
def silent(title: str) -> Iterator[None]:  # noqa: ARG001 - the protocol's parameter
    """Report nothing."""
    yield


def up(
    *,
    port: int | None = None,
    directory: Path = DEFAULT_STATE,
    owned: bool = False,
    external: bool = False,
    step: Steps = silent,
) -> Outputs:
    """Start the emulator and deploy the stacks, as far as that is not done yet. Raises LocalError.

    ``port``: by default that of the running emulator, else 4566. ``owned``: see emulator.start. ``external``: also
    start stand-ins for the anchoring providers, which run until the emulator is stopped.
    """
    state = State(directory.resolve())
    with state.lock():
        found = emulator.running(state)
        if found and port not in (None, found.port):
            raise LocalError(f"the ledger of this checkout already runs on port {found.port}; `make down` stops it")
        if found and not emulator.healthy(found.port):
            raise LocalError(f"the emulator on port {found.port} does not answer; `make down`, then `make up`")
        fresh = found is None
        if found is None:
            with step("Starting the emulator"):
                found = emulator.start(state, port or DEFAULT_PORT, owned=owned)
        try:
            if external and stand_ins.running(state.external) is None:
                with step("Starting a timestamp authority, a calendar and a witness"):
                    stand_ins.start(state.external)
            return _deploy(state, found, step)
        except BaseException:
            # If the first deployment fails there is nothing to lose; a ledger with records is left running.
            if fresh:
                emulator.stop(state)
            raise


def down(*, directory: Path = DEFAULT_STATE, step: Steps = silent) -> Running | None:
    """Stop the emulator, and those of interrupted test runs. Returns what was running."""
    state = State(directory.resolve())
    if not state.directory.exists():
        return None
    with state.lock(), step("Stopping the emulator"):
        emulator.stop_abandoned(state.directory)
        return emulator.stop(state)


def _deploy(state: State, found: Running, step: Steps) -> Outputs:
    # Imported here because `down` must work without the AWS SDK, and a ledger that is up to date does not need it.
    from local import deploy

    others = stand_ins.running(state.external)
    settings = others.settings() if others else {}
    digest = deploy.source_digest(settings)
    if found.digest == digest and state.outputs.exists():
        return Outputs.load(state.directory)
    with _emulator_environment(found.port):
        with step("Deploying the stacks" if not found.digest else "Deploying what changed"):
            stack_outputs = deploy.deploy(state, found.port, settings=settings)
        if found.org is None:
            with step(f"Creating the organisation {ORG}"):
                found = replace(found, org=deploy.create_org(ORG, stack_outputs["LedgerName"], found.port))
                state.save(found)
    assert found.org is not None
    outputs = deploy.describe(stack_outputs, found.org, found.port)
    if others:
        others.introduce(stand_ins.published_keys(outputs.api_url))
    write_private(state.outputs, outputs.as_dict())
    state.save(replace(found, digest=digest))
    return outputs


@contextlib.contextmanager
def _emulator_environment(port: int) -> Iterator[None]:
    """Use the emulator's AWS settings in this process during the block, and restore the environment after it."""
    before = dict(os.environ)
    use_emulator(os.environ, emulator.endpoint(port))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
