# SPDX-License-Identifier: Apache-2.0
"""The table from the bucket: what differs, and how each item gets to say what the evidence says (G4).

    read the items ─▶ survey bucket and outbox ─▶ judge ─▶ swap what differs, the head last

Why in this order. The items are read before the evidence, so whatever they promise must be found in it, and each swap
is held against what was read: with recording and anchoring going on, a swap that comes late fails and nothing is lost.
The head comes last, because from then on the ledger records: a crash before it leaves an organisation that still
refuses with HEAD_REGRESSED, and running again completes it.

The head never goes back over a record that is sealed, waiting or signed for. It goes back at all only where it names
records of which nothing is left, and only when that failure was accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from indelible.domain import instants
from indelible.domain.findings import Failure, FailureCode
from indelible.domain.organisation import OrgConfig
from indelible.domain.record import ADMIN_ORG, Record
from indelible.errors import NotFound
from indelible.ports import Clock, Found, Inventory, LedgerOutbox, News, TableRepair
from indelible.services import differences, ledger_register
from indelible.services.differences import Change
from indelible.services.log import LEDGER, LogReader
from indelible.services.registry_replay import Acts, settled
from indelible.services.survey import Surveyor

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
    """A failure that somebody has looked at: every one of this code, or the one at a sequence."""

    code: FailureCode
    sequence: int | None = None

    def covers(self, failure: Failure) -> bool:
        """Whether this is the failure that is meant."""
        return failure.code is self.code and self.sequence in (None, failure.sequence)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One organisation. `refused` are the failures that nobody accepted: nothing is written then.

    `outran` names items that changed while they were looked at, and were left alone: run it again.
    """

    org_id: str
    records: int
    waiting: int
    changes: tuple[Change, ...]
    failures: tuple[Failure, ...]
    failures_total: int
    refused: tuple[Failure, ...]
    since_ms: int | None = None
    lost: tuple[str, ...] = ()
    applied: bool = False
    outran: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether the table says what the evidence says."""
        return not self.refused and not self.outran and (self.applied or not self.changes)


class Rebuilder:
    """With an operator's rights. Reads until `apply` is asked for."""

    def __init__(
        self,
        *,
        table: TableRepair,
        inventory: Inventory,
        surveyor: Surveyor,
        log: LogReader,
        outbox: LedgerOutbox,
        news: News,
        clock: Clock,
    ) -> None:
        self._table = table
        self._inventory = inventory
        self._surveyor = surveyor
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
        """One organisation, or all that the bucket, the registry or `_admin` know of, and the ledger's own log.

        `_admin` is always read. `_ledger` names the ledger's own log.

        `done` gets each as soon as it is finished. Raises NotFound for an organisation that nobody knows.
        """
        accepted = tuple(accepted)
        if org_id == LEDGER:
            return [self._finished(self._ledger(accepted), apply, done)]
        registered, owners = self._table.registered(), self._inventory.owners()
        # Read before the acts, and so never later than they are.
        configs = {name: self._table.config(name) for name in sorted({ADMIN_ORG, *registered, *owners})}
        acts = Acts()
        waiting = frozenset((leaf.org_id, leaf.size) for leaf in self._outbox.waiting())
        own = self._examine(ADMIN_ORG, accepted, waiting, each=acts.take)
        ordered = {} if own[0].refused else acts.configs
        known = {*registered, *owners, *ordered}
        if org_id is not None and org_id not in known:
            raise NotFound(f"neither the bucket nor the registry knows {org_id}", field="org_id")
        rebuilt: list[Rebuilt] = []
        for name in [org_id] if org_id else sorted(known):
            report, opens = own if name == ADMIN_ORG else self._examine(name, accepted, waiting)
            found = configs.get(name) or self._table.config(name)
            config = settled(found.value, ordered[name]) if name in ordered else found.value
            changes = self._registry(report, found, config, registered=name in registered)
            lost = () if config else (NO_ACTS.format(org_id=name),)
            report = replace(report, changes=(*report.changes, *changes, *opens), lost=lost)
            rebuilt.append(self._finished(report, apply, done))
        ledger = self._ledger(accepted)
        if org_id is None and (ledger.records or ledger.changes or ledger.failures):
            rebuilt.append(self._finished(ledger, apply, done))
        return rebuilt

    def _examine(
        self,
        org_id: str,
        accepted: tuple[Accepted, ...],
        waiting: frozenset[tuple[str, int]],
        *,
        each: Callable[[Record], None] | None = None,
    ) -> tuple[Rebuilt, list[Change]]:
        """What differs, and apart from it what opens recording again."""
        head, log, days = self._table.head(org_id), self._table.log(org_id), self._table.days(org_id)
        cleared = log.value.cleared if log.value else 0
        survey = self._surveyor.survey(org_id, promised=head.value, cleared=cleared, each=each)
        changes = [
            differences.index(self._table, org_id, survey),
            differences.days(self._table, org_id, days, survey),
            differences.log(self._table, org_id, log, survey),
            differences.handed_on(self._outbox, waiting, survey),
        ]
        opens = differences.head(self._table, org_id, head, survey)
        promised = differences.log_failure(log, survey)
        failures = (*survey.failures, *([promised] if promised else []))
        refused = _refused(failures, accepted)
        total = survey.failures_total + (promised is not None)
        if total > len(failures):  # nobody has seen the rest
            refused = refused or failures[-1:]
        report = Rebuilt(
            org_id=org_id,
            records=survey.sealed,
            waiting=survey.waiting,
            since_ms=survey.first_at_ms,
            changes=tuple(change for change in changes if change),
            failures=failures,
            failures_total=total,
            refused=refused,
        )
        return report, [opens] if opens else []

    def _ledger(self, accepted: tuple[Accepted, ...]) -> Rebuilt:
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

    def _registry(
        self, report: Rebuilt, found: Found[OrgConfig], config: OrgConfig | None, *, registered: bool
    ) -> list[Change]:
        changes: list[Change] = []
        if config is not None and (change := differences.config(self._table, found, config)):
            changes.append(change)
        if not registered:
            first = instants.to_text(report.since_ms or self._clock.now_ms())
            created_at = config.created_at if config else first
            changes.append(differences.registry(self._table, report.org_id, created_at))
        return changes

    def _finished(self, report: Rebuilt, apply: bool, done: Callable[[Rebuilt], None]) -> Rebuilt:
        if apply and not report.refused:
            outran = tuple(change.item for change in report.changes if not change.apply())
            if report.changes and report.org_id != LEDGER:
                self._news.mark(report.org_id, self._clock.now_ms())  # the next run of the anchor looks at it
            report = replace(report, applied=True, outran=outran)
        done(report)
        return report


def _refused(failures: tuple[Failure, ...], accepted: tuple[Accepted, ...]) -> tuple[Failure, ...]:
    return tuple(failure for failure in failures if not any(one.covers(failure) for one in accepted))
