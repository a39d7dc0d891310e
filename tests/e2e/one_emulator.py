# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin (``-p tests.e2e.one_emulator``): under ``-n``, one worker runs all end-to-end tests.

They share one emulator, which the session's worker starts; the other workers do the rest meanwhile.
(``xdist_group`` would say the same, but pytest-xdist 3.8 has no effect on groups under pytest 9.2.)
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

E2E = "tests/e2e/"


class OneEmulator(LoadScopeScheduling):
    """Each test goes to whoever is free, but all end-to-end tests to the same worker, which gets them first."""

    def _split_scope(self, nodeid: str) -> str:
        return E2E if nodeid.startswith(E2E) else nodeid

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """What is done is forgotten: the superclass would count all of it again after each test."""
        nodeid = self.registered_collections[node][item_index]
        scope = self._split_scope(nodeid)
        unit = self.assigned_work[node][scope]
        del unit[nodeid]
        if not unit:
            del self.assigned_work[node][scope]
        self._reschedule(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneEmulator | None:
    """Stands in for ``--dist load``, which `-n` means; other modes stay what they are."""
    return OneEmulator(config, log) if config.getvalue("dist") == "load" else None
