# SPDX-License-Identifier: Apache-2.0
"""Anchor the ledger's newest checkpoint externally: timestamps, OpenTimestamps proofs, witness cosignatures.

Invariant: no anchoring provider can hold up another. Each track (one provider) is asked, and fails, independently. What
it gives is stored before it is asked for more, and what is missing is asked for again by the next run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from indelible.domain import instants
from indelible.domain.record import Retention
from indelible.errors import LedgerError
from indelible.ports import Clock, LogFiles, Telemetry, Workers
from indelible.ports.external import AnchorFiles, Calendar, ExternalFailure, OtherTree, TimestampAuthority, Witness
from indelible.services.log import LogReader
from indelible.services.recent_checkpoints import RecentCheckpoints, load_recent
from indelible.services.tracks import CalendarTrack, TimestampTrack, Track, WitnessTrack, failure_code

Kind = Literal["news", "sweep"]

RECENT_MS = instants.DAY_MS
"""Up to this age, a checkpoint without an anchor of a track is submitted to it."""
PATIENCE_MS = 7 * instants.DAY_MS
"""Up to this age, calendars are asked whether a pending proof is complete. Bitcoin takes hours."""


@dataclass(frozen=True, slots=True)
class TrackReport:
    """What a run did for one track."""

    track: str
    stored: tuple[int, ...]
    """Sizes of the checkpoints for which an anchor was stored."""
    completed: tuple[int, ...]
    """Sizes of the checkpoints whose pending proof was completed."""
    failure: str | None
    """The code of the failure that ended it."""
    waiting_ms: int
    """As `RecentCheckpoints.waiting_ms`."""


@dataclass(frozen=True, slots=True)
class ExternalReport:
    """What a run did for the ledger's newest checkpoint."""

    tree_size: int
    """Its size; 0 before there is one."""
    tracks: tuple[TrackReport, ...] = ()
    cosignatures: int = 0
    """Cosignatures that it has now."""
    witnessed: bool | None = None
    """Whether a quorum of witnesses has cosigned it; None where no quorum is configured."""


class ExternalAnchors:
    """`quorum` is how many witnesses make a checkpoint witnessed; None without witnesses."""

    def __init__(
        self,
        *,
        log: LogReader,
        files: LogFiles,
        anchors: AnchorFiles,
        authorities: Sequence[TimestampAuthority],
        calendars: Sequence[Calendar],
        witnesses: Sequence[Witness],
        quorum: int | None,
        retention: Retention,
        workers: Workers,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._log = log
        self._files = files
        self._anchors = anchors
        self._retention = retention
        self._timestamps = [TimestampTrack(authority) for authority in authorities]
        self._calendars = [CalendarTrack(calendar) for calendar in calendars]
        self._witnesses = [WitnessTrack(witness, log=log) for witness in witnesses]
        self._quorum = quorum
        self._workers = workers
        self._clock = clock
        self._telemetry = telemetry

    def run(self, kind: Kind, *, deadline_ms: int) -> ExternalReport:
        """`news`: fetch the anchors that recent checkpoints lack. `sweep`: also complete pending proofs.

        Raises LedgerError when the ledger's own log cannot be read; failures of providers are in the report.
        """
        recent = self._load(RECENT_MS)
        if not recent.published:
            return ExternalReport(tree_size=0)
        older = self._load(PATIENCE_MS) if kind == "sweep" and self._calendars else recent
        tracks: list[Track] = [*self._timestamps, *self._calendars, *self._witnesses]
        done = self._workers.gather(
            [partial(self._track, track, recent, older if kind == "sweep" else None, deadline_ms) for track in tracks]
        )
        reports = [
            one if isinstance(one, TrackReport) else self._fault(t, one, recent)
            for t, one in zip(tracks, done, strict=True)
        ]
        cosignatures = self._publish(recent)
        self._count(reports, older if kind == "sweep" else None)
        witnessed = None if self._quorum is None else cosignatures >= self._quorum
        if witnessed is not None:
            self._telemetry.count("Witnessed", int(witnessed))
        return ExternalReport(recent.published[-1].size, tuple(reports), cosignatures, witnessed)

    def _load(self, window_ms: int) -> RecentCheckpoints:
        return load_recent(
            log=self._log,
            files=self._files,
            anchors=self._anchors,
            retention=self._retention,
            clock=self._clock,
            window_ms=window_ms,
        )

    def _track(
        self, track: Track, recent: RecentCheckpoints, older: RecentCheckpoints | None, deadline_ms: int
    ) -> TrackReport:
        stored: list[int] = []
        completed: list[int] = []
        failure: str | None = None
        try:
            self._go(track.request_missing(recent), stored, deadline_ms)
            if older is not None:
                self._go(track.complete_pending(older), completed, deadline_ms)
        except (ExternalFailure, LedgerError) as error:
            failure = failure_code(error)
            self._telemetry.note("an external track failed", track=track.name, code=failure, detail=str(error))
        return TrackReport(track.name, tuple(stored), tuple(completed), failure, recent.waiting_ms(track.name))

    def _go(self, steps: Iterator[int | None], done: list[int], deadline_ms: int) -> None:
        for size in steps:
            if size is not None:
                done.append(size)
            if self._clock.now_ms() >= deadline_ms:
                return

    def _fault(self, track: Track, error: Exception, recent: RecentCheckpoints) -> TrackReport:
        """The report of a track that raised: a fault of ours, which must not stop the others."""
        self._telemetry.count("UnexpectedErrors")
        self._telemetry.note("an external track failed", track=track.name, code="INTERNAL", detail=type(error).__name__)
        return TrackReport(track.name, (), (), "INTERNAL", recent.waiting_ms(track.name))

    def _publish(self, recent: RecentCheckpoints) -> int:
        """Publish the cosignatures of the newest checkpoint below it, in `checkpoint`; returns how many there are."""
        if not self._witnesses:
            return 0
        size = recent.published[-1].size
        note = recent.opened(size).note
        given = [track.cosignature(recent, size, note.text) for track in self._witnesses]
        lines = [line for line in given if line is not None]
        if lines:
            recent.publish(note.with_signatures(lines), size)
        return len(lines)

    def _count(self, reports: Sequence[TrackReport], older: RecentCheckpoints | None) -> None:
        conflicts = sum(report.failure == failure_code(OtherTree()) for report in reports)
        self._telemetry.count("WitnessConflicts", conflicts)
        for report in reports:
            failed, waiting_seconds = int(report.failure is not None), report.waiting_ms / 1000
            if report.track.startswith("rfc3161-"):
                self._telemetry.count("TimestampFailures", failed)
                self._telemetry.count("TimestampWaitSeconds", waiting_seconds, unit="Seconds")
            elif report.track.startswith("ots-"):
                self._telemetry.count("CalendarFailures", failed)
                self._telemetry.count("CalendarWaitSeconds", waiting_seconds, unit="Seconds")
            else:
                self._telemetry.count("WitnessFailures", failed)
                self._telemetry.count("WitnessWaitSeconds", waiting_seconds, unit="Seconds")
        if older is not None:
            now = self._clock.now_ms()
            since = [ms for track in self._calendars for _, ms in track.pending(older)]
            self._telemetry.count("PendingProofSeconds", (now - min(since, default=now)) / 1000, unit="Seconds")
