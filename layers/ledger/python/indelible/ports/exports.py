# SPDX-License-Identifier: Apache-2.0
"""Where finished exports are kept for some days, and who makes the long ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from indelible.domain.export_job import ExportJob, ExportState


@dataclass(frozen=True, slots=True)
class StoredState:
    """The state of an export as it is stored. `tag` names this version of it: two versions never share one."""

    state: ExportState
    tag: str


class ExportStore(Protocol):
    """The state and the files of every export. Each method takes the organisation: none reaches another's."""

    def state(self, org_id: str, export_id: str) -> StoredState | None:
        """The newest state; None for an export that was never asked for, or has expired.

        Raises EvidenceBroken where what is stored cannot be read.
        """
        ...

    def swap(self, state: ExportState, *, replaces: StoredState | None) -> bool:
        """Replace exactly this version, or create the state where `replaces` is None: a compare-and-swap.

        False when another caller was faster, unless it stored the very same state.
        """
        ...

    def put_state(self, state: ExportState) -> None:
        """Replace the state, whatever it was. Idempotent."""
        ...

    def put_file(self, job: ExportJob, pieces: Iterable[bytes], *, form: str, sha256: str) -> int:
        """Store a file of this export under its hash (hex), locked; returns until when (Unix milliseconds).

        `form` is one of `FORMS`: a view has its bundle beside it. Idempotent: a file that is there and locked stays as
        it is, and `pieces` is not read.
        """
        ...

    def url(self, job: ExportJob, *, form: str, sha256: str, expires_in_s: int) -> str:
        """An address from which anyone who has it can download the file for so many seconds."""
        ...


class Packers(Protocol):
    """The function that packs an export, and puts the state that came of it into the store."""

    def pack(self, job: ExportJob, *, within_ms: int) -> bool:
        """Pack the export, and wait up to `within_ms`. False when that is not long enough; the packing goes on."""
        ...

    def start(self, job: ExportJob) -> None:
        """Start packing the export, and return at once."""
        ...
