# SPDX-License-Identifier: Apache-2.0
"""The ledger's recent checkpoints, and what others have given about each.

Invariant: for one checkpoint and one track the first answer that was stored is the one that counts. Answers differ from
one asking to the next, and two runs may ask at once: whoever stores later finds the work done.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from indelible.domain.anchors import AnchorFile
from indelible.domain.checkpoint import SignedCheckpoint
from indelible.domain.note import Note, NoteError
from indelible.domain.record import Retention
from indelible.domain.tiles import File
from indelible.errors import EvidenceBroken
from indelible.ports import Clock, LogFiles
from indelible.ports.external import AnchorFiles, PublishedCheckpoint, StoredAnchor
from indelible.services.log import LEDGER, LogReader


class Shelf:
    """What there is at the beginning of a run, and what the run adds to it; for several tracks at once."""

    def __init__(
        self,
        *,
        log: LogReader,
        files: LogFiles,
        retention: Retention,
        clock: Clock,
        published: Sequence[PublishedCheckpoint],
        stored: Iterable[StoredAnchor],
    ) -> None:
        self._log = log
        self._files = files
        self._retention = retention
        self._clock = clock
        self.published = tuple(published)
        """Ascending by size."""
        self._stored = {(one.size, one.file): one.stored_ms for one in stored}
        """What a track stores while another looks: whoever looks walks over a copy, which is made in one step."""

    def opened(self, size: int) -> SignedCheckpoint:
        """The checkpoint of this size, signature verified: nothing else is shown to anybody.

        Raises EvidenceBroken.
        """
        try:
            return self._log.opened(LEDGER, size)
        except NoteError as error:
            raise EvidenceBroken(f"the ledger's checkpoint of size {size}: {error}") from None

    def has(self, size: int, track: str) -> bool:
        """Whether this track has given anything about the checkpoint."""
        return any(stored == size and file.track == track for stored, file in self._stored.copy())

    def sizes_without(self, track: str) -> list[int]:
        """Checkpoints that the track has given nothing about, newest first."""
        given = {size for size, file in self._stored.copy() if file.track == track}
        return [one.size for one in reversed(self.published) if one.size not in given]

    def files_of(self, track: str) -> list[tuple[int, AnchorFile, int]]:
        """What the track has given, oldest checkpoint first, and when it was stored."""
        found = [(size, file, ms) for (size, file), ms in self._stored.copy().items() if file.track == track]
        return sorted(found, key=lambda one: (one[0], one[1].file_name))

    def waiting_ms(self, track: str) -> int:
        """How long the oldest checkpoint has waited that is newer than all that the track has given something about.

        Earlier ones are covered by the later: a log only grows. 0 when the newest has been given something.
        """
        last = max((size for size, file in self._stored.copy() if file.track == track), default=0)
        waiting = (one.published_ms for one in self.published if one.size > last)
        return max(0, self._clock.now_ms() - min(waiting, default=self._clock.now_ms()))

    def read(self, size: int, file: AnchorFile) -> bytes | None:
        """What was stored first."""
        return self._files.read(LEDGER, file.path(size))

    def keep(self, size: int, file: AnchorFile, data: bytes) -> None:
        """Store an answer, unless there is one already. Raises Unavailable."""
        with suppress(EvidenceBroken):  # another run's answer is there, which is as good
            self._files.write(LEDGER, [File(file.path(size), data)], retain_until_ms=self._until_ms())
        self._stored[size, file] = self._clock.now_ms()

    def publish(self, cosigned: Note, size: int) -> None:
        """Make the note with its cosignatures the newest version of `checkpoint`, unless a newer one is there."""
        self._files.latest(LEDGER, cosigned.data, size=size, retain_until_ms=self._until_ms())

    def _until_ms(self) -> int:
        return self._retention.until_ms(self._clock.now_ms())


def look(
    *, log: LogReader, files: LogFiles, anchors: AnchorFiles, retention: Retention, clock: Clock, window_ms: int
) -> Shelf:
    """The checkpoints of the last `window_ms`, and always the newest; empty before there is one."""
    published = anchors.published(newest=_known_size(log), since_ms=clock.now_ms() - window_ms)
    stored = anchors.stored(at_least=published[0].size) if published else ()
    return Shelf(log=log, files=files, retention=retention, clock=clock, published=published, stored=stored)


def _known_size(log: LogReader) -> int:
    """What `checkpoint` says; it is no more than a hint where to begin, and anybody may have written over it."""
    try:
        latest = log.latest(LEDGER)
    except NoteError:
        return 1
    return latest.size if latest else 1
