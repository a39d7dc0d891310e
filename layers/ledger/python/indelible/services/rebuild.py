# SPDX-License-Identifier: Apache-2.0
"""Rebuild the table from the bucket: compare every item with the evidence, and repair what differs (G4).

    read the items ─▶ replay bucket and outbox ─▶ compare ─▶ swap what differs, the head last

Why in this order. The items are read before the evidence, so whatever they promise must be found in it, and each swap
is held against what was read: with recording and anchoring going on, a swap that comes late fails and nothing is lost.
The head comes last, because from then on the ledger records: a crash before it leaves an organisation that still
refuses with HEAD_REGRESSED, and running again completes it.

The head never goes back over a record that is sealed, waiting or signed for. It goes back at all only where it names
records of which nothing is left, and only when that failure was accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from indelible.domain import instants
from indelible.domain.findings import Failure, FailureCode
from indelible.domain.organisation import OrgConfig
from indelible.domain.record import ADMIN_ORG, Record
from indelible.errors import NotFound
from indelible.ports import Clock, Found, Inventory, LedgerOutbox, News, TableRepair
from indelible.services import ledger_register, table_diff
from indelible.services.chain_replay import ChainReplayer
from indelible.services.log import LEDGER, LogReader
from indelible.services.registry_replay import RegistryReplay, reconcile
from indelible.services.table_diff import Change

NOT_IN_THE_BUCKET = (
    "idempotency keys: for 30 days a retry of a request from before the loss records its events a second time",
    "records that were committed, not sealed, and in the outbox of a table that is lost: nobody has a receipt for them",
)
"""What no rebuild can bring back."""

NO_ACTS = (
    "config: no act in _admin, as far as that chain is accepted, creates it;"
    " `indelible org create {org_id}` gives it its first key again, with the same secret"
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A failure that an operator has looked at and accepts: every one of this code, or the one at a sequence."""

    code: FailureCode
    sequence: int | None = None

    def covers(self, failure: Failure) -> bool:
        """Whether this is the failure that is meant."""
        return failure.code is self.code and self.sequence in (None, failure.sequence)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was found, and done, for one organisation."""

    org_id: str
    records: int
    """Sealed in the bucket."""
    waiting: int
    """In the outbox alone."""
    changes: tuple[Change, ...]
    """In the order in which they are applied."""
    failures: tuple[Failure, ...]
    failures_total: int
    """More than `failures` has, where there are very many."""
    refused: tuple[Failure, ...]
    """Failures that were not accepted: while there are any, nothing is written."""
    since_ms: int | None = None
    """When the first record was made, in Unix milliseconds."""
    lost: tuple[str, ...] = ()
    """What cannot be rebuilt, in words."""
    applied: bool = False
    outran: tuple[str, ...] = ()
    """Items that changed after they had been read, and were left alone: run the rebuild again."""

    @property
    def settled(self) -> bool:
        """Whether the table says what the evidence says."""
        return not self.refused and not self.outran and (self.applied or not self.changes)


@dataclass(frozen=True, slots=True)
class _Before:
    """What the table and a listing of the bucket said before any evidence was read."""

    registered: frozenset[str]
    owners: frozenset[str]
    configs: Mapping[str, Found[OrgConfig]]
    waiting: frozenset[tuple[str, int]]
    """Checkpoints in the ledger's outbox: organisation and size."""


@dataclass(frozen=True, slots=True)
class _Examined:
    """A report without the registry's items; `head` is kept apart, because it is swapped after those."""

    report: Rebuilt
    head: Change | None


class Rebuilder:
    """Needs an operator's rights. Writes nothing unless `apply` is asked for."""

    def __init__(
        self,
        *,
        table: TableRepair,
        inventory: Inventory,
        replayer: ChainReplayer,
        log: LogReader,
        outbox: LedgerOutbox,
        news: News,
        clock: Clock,
    ) -> None:
        self._table = table
        self._inventory = inventory
        self._replayer = replayer
        self._log = log
        self._outbox = outbox
        self._news = news
        self._clock = clock

    def run(
        self,
        org_id: str | None = None,
        *,
        apply: bool = False,
        accepted: Iterable[Accepted] = (),
        done: Callable[[Rebuilt], None] = lambda _: None,
    ) -> list[Rebuilt]:
        """Compare one organisation, or all that the bucket, the registry or `_admin` name and the ledger's own log.

        `org_id` may be `_ledger` for the ledger's own log. `_admin` is read for every organisation: its acts say what
        the registry must be. `done` gets each report as soon as it is finished.

        Raises NotFound for an organisation that neither the bucket nor the registry names.
        """
        accepted = tuple(accepted)
        if org_id == LEDGER:
            return [self._finish(self._examine_ledger(accepted), apply, done)]
        before = self._read_before(org_id)
        acts = RegistryReplay()
        admin = self._examine(ADMIN_ORG, before, accepted, on_record=acts.apply)
        configs = {} if admin.report.refused else acts.configs
        reports: list[Rebuilt] = []
        for name in _names(org_id, {*before.registered, *before.owners, *configs}):
            examined = admin if name == ADMIN_ORG else self._examine(name, before, accepted)
            report = self._with_registry(examined, before, configs.get(name))
            reports.append(self._finish(report, apply, done))
        if org_id is None:
            ledger = self._examine_ledger(accepted)
            if ledger.records or ledger.changes or ledger.failures:
                reports.append(self._finish(ledger, apply, done))
        return reports

    def _read_before(self, org_id: str | None) -> _Before:
        """The registry's items of one organisation, or of all. The replay of `_admin` must come later."""
        registered, owners = self._table.registered(), frozenset(self._inventory.owners())
        names = {ADMIN_ORG, *registered, *owners} if org_id is None else {org_id}
        return _Before(
            registered=registered,
            owners=owners,
            configs={name: self._table.config(name) for name in sorted(names)},
            waiting=frozenset((leaf.org_id, leaf.size) for leaf in self._outbox.waiting()),
        )

    def _examine(
        self,
        org_id: str,
        before: _Before,
        accepted: tuple[Accepted, ...],
        *,
        on_record: Callable[[Record], None] = lambda _: None,
    ) -> _Examined:
        """Replay the organisation's chain, and compare the items that follow from it."""
        table = self._table
        head, log, days = table.head(org_id), table.log(org_id), table.days(org_id)
        cleared = log.value.cleared if log.value else 0
        replayed = self._replayer.replay(org_id, promised=head.value, cleared=cleared, on_record=on_record)
        changes = (
            table_diff.index(table, org_id, replayed),
            table_diff.days(table, org_id, days, replayed),
            table_diff.log(table, org_id, log, replayed),
            table_diff.ledger_outbox(self._outbox, before.waiting, replayed),
        )
        broken_promise = table_diff.log_failure(log, replayed)
        failures = (*replayed.failures, *([broken_promise] if broken_promise else []))
        total = replayed.failures_total + (broken_promise is not None)
        refused = _refused(failures, accepted)
        if total > len(failures):  # an operator cannot accept what is not shown
            refused = refused or failures[-1:]
        report = Rebuilt(
            org_id=org_id,
            records=replayed.sealed,
            waiting=replayed.waiting,
            since_ms=replayed.first_at_ms,
            changes=tuple(change for change in changes if change),
            failures=failures,
            failures_total=total,
            refused=refused,
        )
        return _Examined(report, table_diff.head(table, org_id, head, replayed))

    def _examine_ledger(self, accepted: tuple[Accepted, ...]) -> Rebuilt:
        """Compare the register of the ledger's own log."""
        found = self._table.ledger()
        last, change, failures = ledger_register.compare(self._table, self._log, found)
        return Rebuilt(
            org_id=LEDGER,
            records=last.size if last else 0,
            waiting=0,
            changes=(change,) if change else (),
            failures=failures,
            failures_total=len(failures),
            refused=_refused(failures, accepted),
        )

    def _with_registry(self, examined: _Examined, before: _Before, acts: OrgConfig | None) -> Rebuilt:
        """The whole report: with the items of the registry, and with the head after them."""
        report = examined.report
        found = before.configs.get(report.org_id) or self._table.config(report.org_id)
        config = found.value if acts is None else reconcile(found.value, acts)
        changes = list(report.changes)
        if config is not None and (change := table_diff.config(self._table, found, config)):
            changes.append(change)
        if report.org_id not in before.registered:
            created_at = config.created_at if config else instants.to_text(report.since_ms or self._clock.now_ms())
            changes.append(table_diff.registry(self._table, report.org_id, created_at))
        if examined.head is not None:
            changes.append(examined.head)
        lost = () if config else (NO_ACTS.format(org_id=report.org_id),)
        return replace(report, changes=tuple(changes), lost=lost)

    def _finish(self, report: Rebuilt, apply: bool, done: Callable[[Rebuilt], None]) -> Rebuilt:
        """Apply the changes, where that is asked for and nothing is refused."""
        if apply and not report.refused:
            outran = tuple(change.item for change in report.changes if not change.apply())
            if report.changes and report.org_id != LEDGER:
                self._news.mark(report.org_id, self._clock.now_ms())  # the next run of the anchor looks at it
            report = replace(report, applied=True, outran=outran)
        done(report)
        return report


def _names(org_id: str | None, known: set[str]) -> list[str]:
    if org_id is None:
        return sorted(known)
    if org_id not in known:
        raise NotFound(f"neither the bucket nor the registry has an organisation {org_id}", field="org_id")
    return [org_id]


def _refused(failures: tuple[Failure, ...], accepted: tuple[Accepted, ...]) -> tuple[Failure, ...]:
    return tuple(failure for failure in failures if not any(one.covers(failure) for one in accepted))
