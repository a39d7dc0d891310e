# SPDX-License-Identifier: Apache-2.0
"""Legal holds: place one on a range of a chain and on the files that prove it, and release it again.

    place    ACT ─▶ every version of every key in the range, and of the files that prove it: ON
    release  ACT ─▶ read which holds are in force ─▶ the same, but for what other holds cover: OFF
                 ─▶ read again ─▶ what holds placed meanwhile cover: ON

Invariant: a version stays held while any hold in force covers it. A place writes its act before it sets a flag, so a
release that runs at the same time finds the act at the latest when it reads again. Both can be repeated, after a crash
or later, and do what is left to do: an open range takes in the records, and the files that prove them, that have come
since.

Nothing is verified. A hold keeps broken evidence like any other: newer versions over a record, forks, and objects among
the records that are not records. Delete markers cannot be held, and hide nothing from a reader of versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, takewhile
from typing import TypeVar

from indelible.domain import credentials, record
from indelible.domain.record import ADMIN_ORG
from indelible.errors import InvalidField, NotFound, Unavailable
from indelible.ports import Clock, KeyVersions, LegalHolds, SecretSource, StoredRecords, Workers
from indelible.services.admin_log import AdminLog
from indelible.services.export_anchors import Anchored
from indelible.services.hold_proof import HeldFiles, Proof, proof_of
from indelible.services.hold_register import PLACE, RELEASE, Act, Hold, HoldRegister, payload_of
from indelible.services.locate import Locator
from indelible.services.ranges import Range

MOST_REASON = 1_000
_AT_ONCE = 256
_Version = tuple[str, str]
T = TypeVar("T")


@dataclass(slots=True)
class HoldReport:
    """What was done for a hold; counts are of object versions."""

    hold: Hold
    versions: int = 0
    """Looked at."""
    changed: int = 0
    """Whose flag was changed."""
    kept: int = 0
    """That stay held for other holds."""
    first: int | None = None
    """The first sequence found in the range, and the last."""
    last: int | None = None
    covered_by: int | None = None
    """The size of the first checkpoint that covers the range's end; None while there is none."""


class Holds:
    """Places and releases holds for one operator. `progress` is called with how many more versions were looked at."""

    def __init__(
        self,
        *,
        records: StoredRecords,
        files: HeldFiles,
        anchored: Anchored,
        flags: LegalHolds,
        admin_log: AdminLog,
        secrets: SecretSource,
        workers: Workers,
        clock: Clock,
    ) -> None:
        """`anchored` lists the external anchors of the ledger's log."""
        self._records = records
        self._files = files
        self._anchored = anchored
        self._flags = flags
        self._admin_log = admin_log
        self._secrets = secrets
        self._workers = workers
        self._clock = clock

    def history(self, org_id: str) -> list[Hold]:
        """Every hold of an organisation, released ones included, in the order of placing."""
        return [hold for hold in self._register().holds.values() if hold.org_id == org_id]

    def place(self, org_id: str, asked: Range, reason: str, *, progress: Callable[[int], None]) -> HoldReport:
        """Hold a range. The same range for the same reason is the same hold, as long as it is in force.

        Raises NotFound for a range without objects, InvalidField for a reason that is empty or too long.
        """
        _check_reason(reason)
        in_force = self._register().in_force(org_id)
        hold = next((one for one in in_force if (one.asked, one.placed.reason) == (asked, reason)), None)
        if hold is None:
            wanted = Hold(org_id, asked, Act("", 0, "", "", reason))
            if next(self._keys(wanted), None) is None:
                raise NotFound(f"{org_id} has nothing in this range")
            hold = Hold(org_id, asked, self._record_place(org_id, asked, reason))
        report = HoldReport(hold)
        self._hold(report, progress)
        return report

    def release(self, org_id: str, hold_id: str, reason: str, *, progress: Callable[[int], None]) -> HoldReport:
        """Release a hold, and every version that no other hold covers. Repeated, it finishes what was interrupted.

        Raises NotFound for a hold that the organisation does not have, InvalidField as `place`.
        """
        _check_reason(reason)
        register = self._register()
        hold = register.holds.get(hold_id)
        if hold is None or hold.org_id != org_id:
            raise NotFound(f"{org_id} has no hold {hold_id}", field="hold_id")
        if hold.released is None:
            self._admin_log.write(RELEASE, org_id, {"hold_id": hold_id}, reason=reason)
            register = self._register()
        report = HoldReport(register.holds[hold_id])
        act = _release_act(report.hold)
        others = [one for one in register.in_force() if one.hold_id != hold_id]
        self._release(report, others, progress)
        # A place that ran meanwhile may have met versions that were still held by this one, and left them alone.
        for late in self._register().in_force():
            if late not in others or late.placed.sequence > act.sequence:
                self._hold(HoldReport(late), progress)
        return report

    def _hold(self, report: HoldReport, progress: Callable[[int], None]) -> None:
        self._switch(report, self._versions_in_range(report), on=True, progress=progress)
        proof = self._proof(report.hold, report.first, report.last)
        report.covered_by = proof.covered_by
        # The record of the act must be kept for as long as what it holds.
        keys = [*proof.keys, report.hold.placed.s3_key]
        self._switch(report, self._versions(keys), on=True, progress=progress)

    def _release(self, report: HoldReport, others: list[Hold], progress: Callable[[int], None]) -> None:
        needed: set[str] = set()
        for one in others:
            keys = [*self._proof(one, *self._extent(one)).keys, one.placed.s3_key]
            # The files that prove it now: when it was placed there may have been fewer, or others.
            self._switch(HoldReport(one), self._versions(keys), on=True, progress=progress)
            needed.update(keys)

        def covered(s3_key: str) -> bool:
            return s3_key in needed or any(one.covers(s3_key) for one in others)

        self._switch(report, self._versions_in_range(report, but_for=covered), on=False, progress=progress)
        keys = [*self._proof(report.hold, report.first, report.last).keys, report.hold.placed.s3_key]
        uncovered = (key for key in keys if not covered(key))
        self._switch(report, self._versions(uncovered), on=False, progress=progress)

    def _keys(self, hold: Hold) -> Iterator[KeyVersions]:
        """The keys in the range, in order, by listing all of it.

        A search for its ends would be cheaper, but a key written by an attacker can lead it astray. Here the worst that
        such a key does is be held itself.
        """
        listed = self._records.versions(hold.org_id, after=hold.after)
        return (keys for keys in takewhile(lambda keys: keys.s3_key < hold.before, listed) if hold.covers(keys.s3_key))

    def _versions_in_range(
        self, report: HoldReport, *, but_for: Callable[[str], bool] = lambda _: False
    ) -> Iterator[_Version]:
        """Every version in the range, but for some keys; notes the sequences that it finds in the report."""
        for keys in self._keys(report.hold):
            sequence = _sequence(keys)
            if sequence is not None:
                report.first = min(sequence, report.first or sequence)
                report.last = max(sequence, report.last or 0)
            if but_for(keys.s3_key):
                report.kept += len(keys.versions)
            else:
                yield from ((keys.s3_key, version_id) for version_id in keys.versions)

    def _extent(self, hold: Hold) -> tuple[int | None, int | None]:
        """The first and the last sequence in the range."""
        found = HoldReport(hold)
        for _ in self._versions_in_range(found):
            pass
        return found.first, found.last

    def _proof(self, hold: Hold, first: int | None, last: int | None) -> Proof:
        """The files that prove the range, and the record before it, whose hash the first one names."""
        if first is None or last is None:
            return Proof()
        proof = proof_of(self._files, self._anchored, hold.org_id, first=first, last=last)
        return replace(proof, keys=(*proof.keys, *self._predecessor(hold.org_id, first)))

    def _predecessor(self, org_id: str, first: int) -> list[str]:
        """The keys with the sequence before `first`: near where a search finds it, or else anywhere."""
        if first <= 1:
            return []
        after = Locator(self._records, org_id).key_before(first - 1, self._clock.now_ms())
        near = islice(self._records.versions(org_id, after=after), _AT_ONCE)
        for listed in (near, self._records.versions(org_id, after=f"{org_id}/")):
            found = [keys.s3_key for keys in listed if _sequence(keys) == first - 1]
            if found:
                return found
        return []

    def _versions(self, keys: Iterable[str]) -> Iterator[_Version]:
        """All versions under each of these keys."""
        names = iter(keys)
        while chunk := list(islice(names, _AT_ONCE)):
            found = self._gather([partial(self._flags.versions, key) for key in chunk])
            yield from ((key, one) for key, versions in zip(chunk, found, strict=True) for one in versions)

    def _switch(
        self, report: HoldReport, versions: Iterator[_Version], *, on: bool, progress: Callable[[int], None]
    ) -> None:
        """Set the flag of each version, and count."""
        while chunk := list(islice(versions, _AT_ONCE)):
            report.changed += sum(self._gather([partial(self._switch_one, key, one, on) for key, one in chunk]))
            report.versions += len(chunk)
            progress(len(chunk))

    def _switch_one(self, s3_key: str, version_id: str, on: bool) -> bool:
        """Whether the flag had to be changed."""
        if self._flags.is_on(s3_key, version_id) == on:
            return False
        self._flags.switch(s3_key, version_id, on=on)
        return True

    def _gather(self, thunks: Sequence[Callable[[], T]]) -> list[T]:
        """The results, in order. Raises the first exception after all have ended."""
        results: list[T] = []
        for outcome in self._workers.gather(thunks):
            if isinstance(outcome, Exception):
                raise outcome
            results.append(outcome)
        return results

    def _record_place(self, org_id: str, asked: Range, reason: str) -> Act:
        receipt = self._admin_log.write(PLACE, org_id, payload_of(asked), reason=reason)
        return Act(receipt.audit_id, receipt.sequence, receipt.timestamp, self._admin_log.actor, reason)

    def _register(self) -> HoldRegister:
        return HoldRegister.read(self._records, credentials.governor_key(self._secrets.master(), ADMIN_ORG))


def _sequence(keys: KeyVersions) -> int | None:
    found = record.parse_key(keys.s3_key)
    return found.sequence if found is not None and found.agrees else None


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > MOST_REASON:
        raise InvalidField(f"must say why, in 1 to {MOST_REASON:,} characters", field="reason")


def _release_act(hold: Hold) -> Act:
    if hold.released is None:
        raise Unavailable("the release is recorded, but the bucket does not list its record yet; repeat the command")
    return hold.released
