# SPDX-License-Identifier: Apache-2.0
"""Add to a signed Merkle log. Only the anchor does.

Invariant: nothing is signed that was not read, and the first checkpoint that is published for a size stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from itertools import chain
from typing import TypeVar

from indelible.domain.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    second_message,
    signed_checkpoint,
    with_second_line,
)
from indelible.domain.keyring import KeyRing
from indelible.domain.note import Note, NoteError
from indelible.domain.record import Retention
from indelible.domain.tiles import Edge, File
from indelible.errors import EvidenceBroken, HeadRegressed
from indelible.ports import Clock, LogFiles, SecondSigner, Signer, Telemetry
from indelible.services.log import LogReader, checkpoint_path

State = TypeVar("State")


class SignedLog(LogReader):
    """A log to read and to add to.

    `signer` returns the key in use, pinned, for what is kept until an instant (Unix milliseconds). `second` signs a
    second line below each checkpoint.
    """

    def __init__(
        self,
        *,
        files: LogFiles,
        ledger_name: str,
        keys: Callable[[], KeyRing],
        signer: Callable[[int], Signer],
        retention: Retention,
        clock: Clock,
        second: SecondSigner | None = None,
    ) -> None:
        super().__init__(files=files, ledger_name=ledger_name, keys=keys, current=files.current)
        self._writable = files
        self._signer = signer
        self._second = second
        self._retention = retention
        self._clock = clock

    def pin(self) -> None:
        """Pin the key in use, even when there is nothing to sign."""
        self._signer(0)

    def confirm(
        self, owner: str, read: Callable[[], State], sizes: Callable[[State], tuple[int, int]], telemetry: Telemetry
    ) -> tuple[State, frozenset[int]]:
        """The register of a log, once the bucket confirms that no checkpoint is published beyond it; and foreign files.

        `read` reads the register; `sizes` returns its published size, and the size whose root it has fixed. A register
        that was restored from a backup would lead to second roots for sizes that are signed already.

        Foreign files are those with the name of a checkpoint that no key of the ledger signed. They are reported, and
        the log skips their sizes. Raises HeadRegressed.
        """
        state = read()
        published, fixed = sizes(state)
        signed, foreign = self.beyond(owner, published, known=fixed)
        if signed > fixed:
            state = read()  # another run may have published just now
            _, fixed = sizes(state)
        if signed > fixed:
            raise HeadRegressed(
                f"{self.origin(owner)}: a checkpoint of size {signed} is published, but the table knows of {fixed}:"
                " nothing is added to this log until the table is rebuilt"
            )
        if foreign:
            telemetry.count("ForeignFiles", len(foreign))
            telemetry.note("files that no key of the ledger signed", org_id=owner, first=min(foreign))
        return state, foreign

    def stage(self, owner: str, files: Sequence[File], *, at_least_until_ms: int) -> None:
        """Write tiles and entry bundles, create-only, locked for at least as long as the records under them."""
        self._writable.write(owner, files, retain_until_ms=self._retain_until_ms(at_least_until_ms))

    def publish(self, owner: str, edge: Edge, *, at_least_until_ms: int) -> Note:
        """Sign the tree with this right edge, publish its checkpoint, and return that. Idempotent.

        Where one is published already for the same tree, by any key of the ring, with or without a second line, that
        one is returned.

        Raises EvidenceBroken where another root is signed for this size, or a foreign file has its name.
        """
        unsigned = Checkpoint(origin=self.origin(owner), size=edge.size, root=edge.root())
        until_ms = self._retain_until_ms(at_least_until_ms)
        note = self._signed(unsigned, until_ms).note
        try:
            self._writable.write(owner, [File(checkpoint_path(edge.size), note.data)], retain_until_ms=until_ms)
        except EvidenceBroken:
            # An earlier run may have published it with the key before this one, or with another second signature.
            note = self._published(owner, unsigned)
        self._writable.latest(owner, note.data, size=edge.size, retain_until_ms=until_ms)
        return note

    def _signed(self, unsigned: Checkpoint, until_ms: int) -> SignedCheckpoint:
        signer = self._signer(until_ms)
        signed = signed_checkpoint(unsigned, signer.public_key(), signer.sign(unsigned.text.encode()))
        if self._second is None:
            return signed
        return with_second_line(signed, self._second.public_key(), self._second.sign(second_message(unsigned)))

    def _published(self, owner: str, expected: Checkpoint) -> Note:
        try:
            found = self.opened(owner, expected.size)
        except NoteError as error:
            raise EvidenceBroken(f"{expected.origin}: the file of checkpoint {expected.size}: {error}") from None
        if found.checkpoint != expected:
            raise EvidenceBroken(f"{expected.origin}: another root is signed for size {expected.size}")
        return found.note

    def _retain_until_ms(self, at_least_ms: int) -> int:
        return max(at_least_ms, self._retention.until_ms(self._clock.now_ms()))


def free_size(*, above: int, preferred: int, end: int, taken: Set[int]) -> int | None:
    """A size for the next checkpoint whose name is not taken: `preferred`, or the next smaller, or the next larger.

    It is larger than `above`, and at most `end`. None where every name is taken.
    """
    sizes = chain(range(preferred, above, -1), range(max(preferred, above) + 1, end + 1))
    return next((size for size in sizes if size not in taken), None)
