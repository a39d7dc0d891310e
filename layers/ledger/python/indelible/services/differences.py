# SPDX-License-Identifier: Apache-2.0
"""Item by item: what the table says, what the evidence says, and the swap that mends it.

Invariant: a change is made only against what was read before the evidence was; and no change leaves the head, or the
log's register, behind anything that is sealed, waiting in the outbox, or signed.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field

from indelible.domain.findings import Failure, FailureCode
from indelible.domain.organisation import OrgConfig
from indelible.domain.record import EMPTY_CHAIN, Head
from indelible.ports import Found, IndexEntry, LedgerOutbox, LogState, TableRepair
from indelible.services.survey import Survey

INDEX_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what the table says, and what it should. `apply` is False where the item has changed since."""

    item: str
    found: str
    wanted: str
    apply: Callable[[], bool] = field(compare=False, repr=False)


def head(table: TableRepair, org_id: str, found: Found[Head], survey: Survey) -> Change | None:
    """The head is the end of the chain, what waits in the outbox included.

    Ahead of it the head goes back, unless a signature reaches further: TRUNCATED was accepted, or nothing is applied.
    """
    said, end = found.value, survey.end
    if not survey.ends or said in survey.ends:
        return None
    if said is not None and said.sequence > end.sequence:
        if survey.signed_size > end.sequence:
            return None
    else:
        now = table.head(org_id)
        if _moved_on(found, now) and now.value and now.value.sequence >= end.sequence:
            return None  # the ledger goes on recording
    return Change("head", _head_text(said), _head_text(end), lambda: table.swap_head(org_id, found, end))


def log(table: TableRepair, org_id: str, found: Found[LogState], survey: Survey) -> Change | None:
    """The register stands at the last published checkpoint. One that an older version wrote has no root: replaced."""
    said, wanted = found.value, _register(survey)
    if (said is None and found.seen is None and wanted is None) or (said is not None and _agrees(said, wanted, survey)):
        return None
    now = table.log(org_id)
    if wanted is not None and _moved_on(found, now) and now.value and now.value.tree_size >= wanted.tree_size:
        return None  # the anchor has gone on
    return Change(
        "log", _log_text(found), _log_text(Found(wanted, None)), lambda: table.swap_log(org_id, found, wanted)
    )


def log_failure(found: Found[LogState], survey: Survey) -> Failure | None:
    """What the register promises, and the bucket does not keep."""
    return _log_ahead(found.value, survey) if found.value is not None else None


def days(table: TableRepair, org_id: str, found: Mapping[str, int], survey: Survey) -> Change | None:
    """Each day's first sequence. Days that are there stay: their first record is not found anew."""
    missing = {day: first for day, first in survey.days.items() if day not in found}
    if not missing:
        return None

    def add() -> bool:
        table.add_days(org_id, missing)
        return True

    return Change("days", f"{len(found):,}", f"{len(found) + len(missing):,}", add)


def index(table: TableRepair, org_id: str, survey: Survey) -> Change | None:
    """Every sealed record can be found by its hash."""
    missing: tuple[IndexEntry, ...] = survey.unindexed
    if not missing:
        return None

    def put() -> bool:
        for start in range(0, len(missing), INDEX_CHUNK):
            table.index(org_id, missing[start : start + INDEX_CHUNK])
        return True

    return Change("index", f"{survey.sealed - len(missing):,} hashes", f"{survey.sealed:,} hashes", put)


def handed_on(outbox: LedgerOutbox, waiting: Container[tuple[str, int]], survey: Survey) -> Change | None:
    """Every published checkpoint is in the ledger's own log, or waits for it."""
    missing = [leaf for leaf in survey.unlogged if (leaf.org_id, leaf.size) not in waiting]
    if not missing:
        return None

    def put() -> bool:
        for leaf in missing:
            outbox.put(leaf)
        return True

    said = f"{len(survey.unlogged) - len(missing):,} checkpoints wait"
    return Change("ledger outbox", said, f"{len(survey.unlogged):,} checkpoints wait", put)


def config(table: TableRepair, found: Found[OrgConfig], wanted: OrgConfig) -> Change | None:
    """Keys, retention and principals are those that `_admin`'s acts have left."""
    if found.value == wanted:
        return None
    said = "nothing" if found.seen is None else _config_text(found.value) if found.value else "unreadable"
    return Change("config", said, _config_text(wanted), lambda: table.swap_config(wanted.org_id, found, wanted))


def registry(table: TableRepair, org_id: str, created_at: str) -> Change:
    """The sweep of the anchor finds the organisation."""

    def register() -> bool:
        table.register(org_id, created_at)
        return True

    return Change("registry", "nothing", org_id, register)


def _register(survey: Survey) -> LogState | None:
    if survey.checkpoint is None:
        return None
    covered = survey.covered
    cleared = covered.sequence if survey.uncleared is None else min(covered.sequence, survey.uncleared - 1)
    return LogState(tail=covered, root=survey.checkpoint.root.hex(), published=covered, cleared=cleared)


def _agrees(said: LogState, wanted: LogState | None, survey: Survey) -> bool:
    if _log_ahead(said, survey) is not None:
        return False
    if wanted is not None and said.tail == wanted.tail:
        # Fixed, and perhaps published a moment ago: the anchor's to say so, as long as it can go on from where it was.
        return said.root == wanted.root and said.published in {EMPTY_CHAIN, *survey.ever_covered}
    # What is fixed beyond is the anchor's to confirm.
    return said.published == survey.covered and (wanted is None or said.tail != said.published)


def _log_ahead(said: LogState, survey: Survey) -> Failure | None:
    if said.published.sequence > survey.covered.sequence:
        detail = "the table says that a checkpoint of this size is published; the bucket has none that holds"
        return Failure(FailureCode.CHECKPOINT_MISMATCH, said.published.sequence, detail)
    if said.tail.sequence > survey.end.sequence:
        detail = f"the chain ends at {survey.end.sequence}, but the log's register goes on to {said.tail.sequence}"
        return Failure(FailureCode.TRUNCATED, survey.end.sequence + 1, detail, through=said.tail.sequence)
    return None


def _moved_on(found: Found[Head] | Found[LogState], now: Found[Head] | Found[LogState]) -> bool:
    return now.seen != found.seen


def _head_text(said: Head | None) -> str:
    return "nothing" if said is None else f"record {said.sequence:,} ({said.tx_hash[:12]}…)"


def _log_text(found: Found[LogState]) -> str:
    said = found.value
    if said is None:
        return "nothing" if found.seen is None else "no root"
    fixed = f", {said.tail.sequence:,} fixed" if said.tail != said.published else ""
    return f"{said.tree_size:,} published{fixed}, outbox empty to {said.cleared:,}"


def _config_text(said: OrgConfig) -> str:
    keys = ", ".join(key.key_id for key in said.active_keys()) or "no active key"
    kept = f", kept {said.retention_days:,} days" if said.retention_days else ""
    allowed = f", {len(said.principals)} principals" if said.principals else ""
    return f"{keys}{kept}{allowed}{', disabled' if said.disabled_at else ''}"
