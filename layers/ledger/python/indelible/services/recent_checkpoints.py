# SPDX-License-Identifier: Apache-2.0
"""The ledger's recent checkpoints, and the external anchors that are stored about each.

Invariant: for one checkpoint and one track, the answer that was stored first is the one that counts. A provider answers
differently each time, and two runs may ask at once: the run that stores later keeps the answer of the other.
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


class RecentCheckpoints:
    """What is stored at the beginning of a run, and what the run adds. Several threads, one for each track, use it."""

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
        """Unix ms. A track may store while another iterates: so iterate over a copy, which is made in one step."""

    def opened(self, size: int) -> SignedCheckpoint:
        """The checkpoint of this size, its signature verified: providers are sent no other. Raises EvidenceBroken."""
        try:
            return self._log.opened(LEDGER, size)
        except NoteError as error:
            raise EvidenceBroken(f"the ledger's checkpoint of size {size}: {error}") from None

    def has(self, size: int, track: str) -> bool:
        """Whether an anchor of this track is stored for the checkpoint."""
        return any(stored == size and file.track == track for stored, file in self._stored.copy())

    def sizes_without(self, track: str) -> list[int]:
        """Sizes of checkpoints without an anchor of this track, newest first."""
        given = {size for size, file in self._stored.copy() if file.track == track}
        return [one.size for one in reversed(self.published) if one.size not in given]

    def files_of(self, track: str) -> list[tuple[int, AnchorFile, int]]:
        """The anchors of this track, oldest checkpoint first: size, file, and when it was stored (Unix ms)."""
        found = [(size, file, ms) for (size, file), ms in self._stored.copy().items() if file.track == track]
        return sorted(found, key=lambda one: (one[0], one[1].file_name))

    def waiting_ms(self, track: str) -> int:
        """For how long the oldest checkpoint has waited that is newer than every one with an anchor of this track.

        Earlier ones are covered by later ones: a log only grows. 0 when the newest has an anchor.
        """
        last = max((size for size, file in self._stored.copy() if file.track == track), default=0)
        waiting = (one.published_ms for one in self.published if one.size > last)
        return max(0, self._clock.now_ms() - min(waiting, default=self._clock.now_ms()))

    def read(self, size: int, file: AnchorFile) -> bytes | None:
        """The content of an anchor, as it was stored first; None where none is."""
        return self._files.read(LEDGER, file.path(size))

    def store(self, size: int, file: AnchorFile, data: bytes) -> None:
        """Store an anchor, unless there is one already. Raises Unavailable."""
        with suppress(EvidenceBroken):  # another run has stored its answer, which is as good
            self._files.write(LEDGER, [File(file.path(size), data)], retain_until_ms=self._until_ms())
        self._stored[size, file] = self._clock.now_ms()

    def publish(self, cosigned: Note, size: int) -> None:
        """Make the note with its cosignatures the newest version of `checkpoint`, unless a newer one is there."""
        self._files.latest(LEDGER, cosigned.data, size=size, retain_until_ms=self._until_ms())

    def _until_ms(self) -> int:
        return self._retention.until_ms(self._clock.now_ms())


def load_recent(
    *, log: LogReader, files: LogFiles, anchors: AnchorFiles, retention: Retention, clock: Clock, window_ms: int
) -> RecentCheckpoints:
    """The checkpoints of the last `window_ms`, and always the newest; empty before there is one."""
    published = anchors.published(newest=_known_size(log), since_ms=clock.now_ms() - window_ms)
    stored = anchors.stored(at_least=published[0].size) if published else ()
    return RecentCheckpoints(log=log, files=files, retention=retention, clock=clock, published=published, stored=stored)


def _known_size(log: LogReader) -> int:
    """The size in `checkpoint`: only a hint where to begin, since any writer may have put a newer version there."""
    try:
        latest = log.latest(LEDGER)
    except NoteError:
        return 1
    return latest.size if latest else 1
