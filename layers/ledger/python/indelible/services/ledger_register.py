# SPDX-License-Identifier: Apache-2.0
"""Compare the register of the ledger's own log with the bucket.

The leaves are checkpoints of organisations in the order in which they were taken, which only the bucket knows. So the
register is set to the last published checkpoint whose tree is complete. What a lost register had fixed beyond it is
taken again: each organisation's rebuild puts its checkpoints without a proof in the ledger's log into the outbox.
"""

from __future__ import annotations

from indelible.domain.checkpoint import Checkpoint
from indelible.domain.findings import Failure, FailureCode
from indelible.domain.note import NoteError
from indelible.errors import EvidenceBroken
from indelible.ports import Found, LedgerState, TableRepair
from indelible.services.log import LEDGER, LogReader
from indelible.services.table_diff import Change


def compare(
    table: TableRepair, log: LogReader, found: Found[LedgerState]
) -> tuple[Checkpoint | None, Change | None, tuple[Failure, ...]]:
    """The last published checkpoint, the change that the register needs, and the failures of the log itself."""
    last, failures = _last_published(log)
    said, wanted = found.value, None
    if last is not None:
        wanted = LedgerState(tree_size=last.size, root=last.root.hex(), published=last.size)
    if said is not None and said.published > (last.size if last else 0):
        detail = "the table says that a checkpoint of this size is published; the bucket has none that holds"
        failures = (*failures, Failure(FailureCode.CHECKPOINT_MISMATCH, said.published, detail))
    elif _agrees(said, found, wanted):
        return last, None, failures
    now = table.ledger()
    if now.seen != found.seen and now.value and wanted and now.value.published >= wanted.published:
        return last, None, failures  # a run has published meanwhile
    change = Change("ledger log", _text(found), _text(Found(wanted, None)), lambda: table.swap_ledger(found, wanted))
    return last, change, failures


def _agrees(said: LedgerState | None, found: Found[LedgerState], wanted: LedgerState | None) -> bool:
    if said is None:
        return found.seen is None and wanted is None
    if wanted is None:
        return said.published == 0
    if said.tree_size == wanted.tree_size:
        return said.root == wanted.root  # perhaps published a moment ago: the next run stores the proofs
    return said.published == wanted.published


def _last_published(log: LogReader) -> tuple[Checkpoint | None, tuple[Failure, ...]]:
    """The largest checkpoint with a good signature and a tree that leads to its root; larger ones are failures."""
    failures: list[Failure] = []
    for size in sorted(log.sizes(LEDGER, at_least=1), reverse=True):
        try:
            found = log.opened(LEDGER, size).checkpoint
            log.edge(LEDGER, size)
        except NoteError as error:
            failures.append(Failure(FailureCode.BAD_SIGNATURE, size, f"the ledger's checkpoint: {error}"))
        except EvidenceBroken as error:
            failures.append(Failure(FailureCode.CHECKPOINT_MISMATCH, size, error.message))
        else:
            return found, tuple(failures)
    return None, tuple(failures)


def _text(found: Found[LedgerState]) -> str:
    said = found.value
    if said is None:
        return "nothing" if found.seen is None else "unreadable"
    fixed = f", {len(said.batch):,} fixed" if said.batch else ""
    return f"{said.published:,} published{fixed}"
