# SPDX-License-Identifier: Apache-2.0
"""Where exports are kept, and who packs them, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from indelible.domain import instants
from indelible.domain.export_job import FORMS, ExportJob, ExportState
from indelible.errors import LedgerError
from indelible.ports import StoredState
from tests.fakes.machine import ManualClock

KEPT_DAYS = 7


@dataclass(slots=True)
class FakeExportStore:
    """ExportStore: what is noted as ready is stored; a file is what its name says."""

    clock: ManualClock
    states: dict[tuple[str, str], list[bytes]] = field(default_factory=dict)
    files: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    """By organisation, export and name: hash and suffix."""

    def state(self, org_id: str, export_id: str) -> StoredState | None:
        noted = self.states.get((org_id, export_id))
        return StoredState(ExportState.read(noted[-1]), str(len(noted))) if noted else None

    def swap(self, state: ExportState, *, replaces: StoredState | None) -> bool:
        noted = self.states.setdefault((state.job.org_id, state.job.export_id), [])
        if len(noted) != (int(replaces.tag) if replaces else 0):
            return False
        noted.append(state.data)
        return True

    def put_state(self, state: ExportState) -> None:
        if state.status == "ready":
            assert state.sha256 is not None
            assert self._name(state.job, state.job.format, state.sha256) in self.files, "ready before it is stored"
            if state.job.format != "bundle":
                assert state.bundle_sha256 is not None, "a view without what proves it"
                assert self._name(state.job, "bundle", state.bundle_sha256) in self.files, "ready before its proof is"
        self.states.setdefault((state.job.org_id, state.job.export_id), []).append(state.data)

    def put_file(self, job: ExportJob, pieces: Iterable[bytes], *, form: str, sha256: str) -> int:
        data = b"".join(pieces)
        assert hashlib.sha256(data).hexdigest() == sha256, "the name of a file is its hash"
        self.files[self._name(job, form, sha256)] = data
        return self.clock.now + KEPT_DAYS * instants.DAY_MS

    def url(self, job: ExportJob, *, form: str, sha256: str, expires_in_s: int) -> str:
        return f"https://exports/{'/'.join(self._name(job, form, sha256))}?X-Amz-Expires={expires_in_s}"

    def fetched(self, url: str) -> bytes:
        """What lies under such an address."""
        org_id, export_id, name = url.removeprefix("https://exports/").partition("?")[0].split("/")
        return self.files[org_id, export_id, name]

    @staticmethod
    def _name(job: ExportJob, form: str, sha256: str) -> tuple[str, str, str]:
        return job.org_id, job.export_id, f"{sha256}.{FORMS[form].suffix}"


@dataclass(slots=True)
class FakePackers:
    """Packers: runs what it is given at once, or (`slow`) when it is told to."""

    run: Callable[[ExportJob], object]
    slow: bool = False
    refuses: LedgerError | None = None
    waiting: list[ExportJob] = field(default_factory=list)
    started: list[ExportJob] = field(default_factory=list)

    def pack(self, job: ExportJob, *, within_ms: int) -> bool:
        assert within_ms > 0, "there is no time left to wait"
        self.start(job)
        if self.slow:
            return False
        self.work()
        return True

    def start(self, job: ExportJob) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.started.append(job)
        self.waiting.append(job)

    def work(self) -> None:
        """Pack what was asked for."""
        while self.waiting:
            self.run(self.waiting.pop(0))
