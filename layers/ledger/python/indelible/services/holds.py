# SPDX-License-Identifier: Apache-2.0
"""Legal holds: place one on a range of a chain and on what proves it, and let go of it again.

    place    ACT ─▶ every version of every key in the range, and of the files that prove it: ON
    release  ACT ─▶ what is in force ─▶ the same, but for what other holds cover: OFF ─▶ what was placed meanwhile: ON

Invariant: a version stays held while any hold in force covers it. Whoever places writes the act first, so whoever
releases at the same time finds it at the latest when he looks again. Everything can be repeated, after a crash or
later, and does what is left to do: an open range takes in what has come since, and files that prove it.

Nothing is verified. A hold keeps broken evidence like any other: what was laid over a record, its forks, and files
among the records that are none. Delete markers cannot be held, and hide nothing from whoever reads versions.
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
class Done:
    """What was done for a hold: versions looked at, how many of them changed, and how many stay for other holds.

    `first` and `last` are the sequences found in its range; `covered_by` the size of the first checkpoint that covers
    it, None while there is none.
    """

    hold: Hold
    versions: int = 0
    changed: int = 0
    kept: int = 0
    first: int | None = None
    last: int | None = None
    covered_by: int | None = None


class Holds:
    """For one operator. `progress` is told how many more versions have been looked at."""

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
        """`anchored` lists what others have given about the ledger's log."""
        self._records = records
        self._files = files
        self._anchored = anchored
        self._flags = flags
        self._admin_log = admin_log
        self._secrets = secrets
        self._workers = workers
        self._clock = clock

    def placed(self, org_id: str) -> list[Hold]:
        """Every hold of an organisation that was ever placed, in that order."""
        return [hold for hold in self._register().holds.values() if hold.org_id == org_id]

    def place(self, org_id: str, asked: Range, reason: str, *, progress: Callable[[int], None]) -> Done:
        """Hold a range. The same range for the same reason is the same hold, as long as it is in force.

        Raises NotFound where nothing is in the range, InvalidField for a reason that is empty or too long.
        """
        _check(reason)
        in_force = self._register().in_force(org_id)
        hold = next((one for one in in_force if (one.asked, one.placed.reason) == (asked, reason)), None)
        if hold is None:
            wanted = Hold(org_id, asked, Act("", 0, "", "", reason))
            if next(self._keys(wanted), None) is None:
                raise NotFound(f"{org_id} has nothing in this range")
            hold = Hold(org_id, asked, self._written(org_id, asked, reason))
        done = Done(hold)
        self._hold(done, progress)
        return done

    def release(self, org_id: str, hold_id: str, reason: str, *, progress: Callable[[int], None]) -> Done:
        """Let go of a hold, and of every version that no other one covers. Again it finishes what was interrupted.

        Raises NotFound for a hold that the organisation does not have, InvalidField as `place`.
        """
        _check(reason)
        register = self._register()
        hold = register.holds.get(hold_id)
        if hold is None or hold.org_id != org_id:
            raise NotFound(f"{org_id} has no hold {hold_id}")
        if hold.released is None:
            self._admin_log.write(RELEASE, org_id, {"hold_id": hold_id}, reason=reason)
            register = self._register()
        done = Done(register.holds[hold_id])
        released = _released(done.hold)
        others = [one for one in register.in_force() if one.hold_id != hold_id]
        self._let_go(done, others, progress)
        # Who placed a hold meanwhile may have met versions that were still held by this one.
        for late in self._register().in_force():
            if late not in others or late.placed.sequence > released.sequence:
                self._hold(Done(late), progress)
        return done

    def _hold(self, done: Done, progress: Callable[[int], None]) -> None:
        self._switch(done, self._in_range(done), on=True, progress=progress)
        proof = self._proving(done.hold, done.first, done.last)
        done.covered_by = proof.covered_by
        # The act that says so must be kept for as long, too.
        keys = [*proof.keys, done.hold.placed.s3_key]
        self._switch(done, self._versions(keys), on=True, progress=progress)

    def _let_go(self, done: Done, others: list[Hold], progress: Callable[[int], None]) -> None:
        needed: set[str] = set()
        for one in others:
            keys = [*self._proving(one, *self._ends(one)).keys, one.placed.s3_key]
            # As it is needed now: what was found for it when it was placed may have been less, or something else.
            self._switch(Done(one), self._versions(keys), on=True, progress=progress)
            needed.update(keys)

        def covered(s3_key: str) -> bool:
            return s3_key in needed or any(one.covers(s3_key) for one in others)

        self._switch(done, self._in_range(done, but_for=covered), on=False, progress=progress)
        keys = [*self._proving(done.hold, done.first, done.last).keys, done.hold.placed.s3_key]
        loose = (key for key in keys if not covered(key))
        self._switch(done, self._versions(loose), on=False, progress=progress)

    def _keys(self, hold: Hold) -> Iterator[KeyVersions]:
        """The keys of its range, in order: what is listed there, and no place that was searched for.

        Whoever may write to the bucket can lead a search astray; here the worst that a key does is be held itself.
        """
        listed = self._records.versions(hold.org_id, after=hold.after)
        return (keys for keys in takewhile(lambda keys: keys.s3_key < hold.before, listed) if hold.covers(keys.s3_key))

    def _in_range(self, done: Done, *, but_for: Callable[[str], bool] = lambda _: False) -> Iterator[_Version]:
        for keys in self._keys(done.hold):
            sequence = _sequence(keys)
            if sequence is not None:
                done.first = min(sequence, done.first or sequence)
                done.last = max(sequence, done.last or 0)
            if but_for(keys.s3_key):
                done.kept += len(keys.versions)
            else:
                yield from ((keys.s3_key, version_id) for version_id in keys.versions)

    def _ends(self, hold: Hold) -> tuple[int | None, int | None]:
        looked = Done(hold)
        for _ in self._in_range(looked):
            pass
        return looked.first, looked.last

    def _proving(self, hold: Hold, first: int | None, last: int | None) -> Proof:
        """With the record before the range, whose hash the first one names."""
        if first is None or last is None:
            return Proof()
        proof = proof_of(self._files, self._anchored, hold.org_id, first=first, last=last)
        return replace(proof, keys=(*proof.keys, *self._predecessor(hold.org_id, first)))

    def _predecessor(self, org_id: str, first: int) -> list[str]:
        """The keys that claim this place: where a search finds them, or else anywhere."""
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
            found = self._gathered([partial(self._flags.versions, key) for key in chunk])
            yield from ((key, one) for key, versions in zip(chunk, found, strict=True) for one in versions)

    def _switch(self, done: Done, versions: Iterator[_Version], *, on: bool, progress: Callable[[int], None]) -> None:
        while chunk := list(islice(versions, _AT_ONCE)):
            done.changed += sum(self._gathered([partial(self._one, key, one, on) for key, one in chunk]))
            done.versions += len(chunk)
            progress(len(chunk))

    def _one(self, s3_key: str, version_id: str, on: bool) -> bool:
        if self._flags.is_on(s3_key, version_id) == on:
            return False
        self._flags.switch(s3_key, version_id, on=on)
        return True

    def _gathered(self, thunks: Sequence[Callable[[], T]]) -> list[T]:
        outcomes: list[T] = []
        for outcome in self._workers.gather(thunks):
            if isinstance(outcome, Exception):
                raise outcome
            outcomes.append(outcome)
        return outcomes

    def _written(self, org_id: str, asked: Range, reason: str) -> Act:
        receipt = self._admin_log.write(PLACE, org_id, payload_of(asked), reason=reason)
        return Act(receipt.audit_id, receipt.sequence, receipt.timestamp, self._admin_log.actor, reason)

    def _register(self) -> HoldRegister:
        return HoldRegister.read(self._records, credentials.governor_key(self._secrets.master(), ADMIN_ORG))


def _sequence(keys: KeyVersions) -> int | None:
    found = record.parse_key(keys.s3_key)
    return found.sequence if found is not None and found.agrees else None


def _check(reason: str) -> None:
    if not reason.strip() or len(reason) > MOST_REASON:
        raise InvalidField(f"must say why, in at most {MOST_REASON:,} characters", field="reason")


def _released(hold: Hold) -> Act:
    if hold.released is None:
        raise Unavailable("the release is on record, but the bucket does not list the record yet; repeat it")
    return hold.released
