# SPDX-License-Identifier: Apache-2.0
"""Where finished exports are kept for some days, and who makes the long ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from indelible.domain.export_job import ExportJob, ExportState


@dataclass(frozen=True, slots=True)
class Noted:
    """A stored state, and the tag that names this very version of it."""

    state: ExportState
    tag: str


class ExportStore(Protocol):
    """Files of one organisation are never reached by the name of another: every method takes the organisation."""

    def state(self, org_id: str, export_id: str) -> Noted | None:
        """What was noted last; None for an export that nobody asked for, or that is gone by now."""
        ...

    def note(self, state: ExportState, *, replaces: Noted | None) -> bool:
        """Replace exactly that state, or none for None: a compare-and-swap.

        False when another caller was faster, unless it stored the very same state.
        """
        ...

    def settle(self, state: ExportState) -> None:
        """Note what became of an export, whatever was noted before."""
        ...

    def keep(self, job: ExportJob, pieces: Iterable[bytes], *, form: str, sha256: str) -> int:
        """Store a file of this export under its hash, locked, and return until when (Unix ms).

        Keeps one that is there already. `form` is one of `FORMS`: a view has its bundle beside it.
        """
        ...

    def url(self, job: ExportJob, *, form: str, sha256: str, expires_in_s: int) -> str:
        """An address from which anybody who has it can download the file until then."""
        ...


class Packers(Protocol):
    """The function that packs."""

    def pack(self, job: ExportJob, *, within_ms: int) -> bool:
        """Have it packed and wait; False when that took longer, and goes on."""
        ...

    def start(self, job: ExportJob) -> None:
        """Have it packed, and do not wait."""
        ...
