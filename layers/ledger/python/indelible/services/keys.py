# SPDX-License-Identifier: Apache-2.0
"""The ledger's key ring as the bucket has it, and how the anchor pins a new generation.

A generation is pinned by its statement, create-only under `_ledger/_log/keys/`: where two are offered for one place,
the first that reached the bucket is the successor. A key that is not pinned has signed nothing. So readers trust the
newest pinned key of those that the deployment names, and follow the statements back from there.

Invariant: the anchor signs with a key only after its statement is in the bucket, read back and found good; and nothing
that it signs is kept for longer than the statements that lead to its key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from indelible.domain import instants, keyring
from indelible.domain.keyring import KeyRing, KeyStatement, statement_path
from indelible.domain.note import NoteError
from indelible.domain.record import Retention
from indelible.domain.tiles import File
from indelible.errors import ConfigurationError, EvidenceBroken
from indelible.ports import Clock, LogFiles, PublicKey, Signer, Telemetry
from indelible.services.log import LEDGER

HANDOVER_MS = 20 * 60_000
"""Between pinning a key and the end of its predecessor: runs of the anchor that began before have ended (15 min)."""

MARGIN_DAYS = 30
"""A statement's lock is extended by so much more than it must be, or by the ledger's retention where that is shorter:
once a month, not every day."""

_Reading = Callable[[str, str], bytes | None]


class PinnedKeys:
    """The key ring, for processes that only read. Once complete, it is kept for as long as the process lives.

    `keys` are those that the deployment names: all generations, oldest first.
    """

    def __init__(self, *, keys: Sequence[PublicKey], files: LogFiles, ledger_name: str) -> None:
        self._keys = keys
        self._files = files
        self._ledger_name = ledger_name
        self._complete: KeyRing | None = None

    def ring(self) -> KeyRing:
        """The keys whose signatures count. Reads nothing for a ledger with one key: no other can have signed."""
        if len(self._keys) == 1:
            return KeyRing.of_one(self._ledger_name, self._keys[0].public_key())
        return self.stated()

    def stated(self) -> KeyRing:
        """The ring with its statements, of all generations that are pinned: one GET for each, until all are.

        The newest one is not pinned yet between its deployment and the next run of the anchor.
        """
        if self._complete is None:
            ring = self._follow(self._files.current)
            if not self._is_complete(ring):  # perhaps because other versions hide the statements
                ring = self._follow(self._files.read)
            if not self._is_complete(ring):
                return ring
            self._complete = ring
        return self._complete

    def _follow(self, read: _Reading) -> KeyRing:
        """The ring of the newest key that the statements lead to."""
        statements: list[bytes] = []
        for generation in range(1, len(self._keys) + 1):
            note = read(LEDGER, statement_path(generation))
            if note is None:
                break
            statements.append(note)
        while statements:
            newest = self._keys[len(statements) - 1].public_key()
            with suppress(NoteError):
                return KeyRing.trusting(newest, statements, ledger_name=self._ledger_name)
            statements.pop()  # not a statement by these keys: it pins nothing
        return KeyRing.of_one(self._ledger_name, self._keys[0].public_key())

    def _is_complete(self, ring: KeyRing) -> bool:
        return ring.newest.generation == len(self._keys) and ring.newest.statement is not None


class SigningKeys(PinnedKeys):
    """The key ring of the anchor, which pins new generations and signs with the newest pinned one."""

    def __init__(
        self,
        *,
        signers: Sequence[Signer],
        files: LogFiles,
        ledger_name: str,
        retention: Retention,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        super().__init__(keys=signers, files=files, ledger_name=ledger_name)
        self._signers = signers
        self._retention = retention
        self._clock = clock
        self._telemetry = telemetry
        self._signer: Signer | None = None
        self._statements: tuple[str, ...] = ()
        self._kept_until_ms = 0

    def signer(self, until_ms: int) -> Signer:
        """The newest key that is pinned, to sign what is kept until `until_ms` (Unix milliseconds).

        Its statement and those before it are kept for as long. Several processes may pin a key at once: one statement
        wins, and all agree on it.

        Raises ConfigurationError when a later generation is pinned than the deployment names.
        """
        if self._signer is None:
            ring = self._pin()
            self._refuse_successor(ring)
            self._statements = tuple(statement_path(key.generation) for key in ring.keys if key.statement is not None)
            self._signer = self._signers[ring.newest.generation - 1]
        if until_ms > self._kept_until_ms:
            self._extend_locks(until_ms)
        return self._signer

    def _extend_locks(self, until_ms: int) -> None:
        margin_ms = min(MARGIN_DAYS, self._retention.days) * instants.DAY_MS
        kept = [
            self._files.extend_lock(LEDGER, path, at_least_until_ms=until_ms, retain_until_ms=until_ms + margin_ms)
            for path in self._statements
        ]
        self._kept_until_ms = min(kept, default=0)

    def _pin(self) -> KeyRing:
        """The ring, after pinning every generation that can be."""
        ring = self.stated()
        while not self._is_complete(ring):
            before = ring
            statement = self._next_statement(ring)
            signing = self._signers[max(statement.generation - 2, 0) : statement.generation]
            message = statement.text.encode()
            note = keyring.signed_statement(statement, [(s.public_key(), s.sign(message)) for s in reversed(signing)])
            with suppress(EvidenceBroken):  # the name is taken, perhaps by another run: `stated` reads what is there
                file = File(statement_path(statement.generation), note.data)
                self._files.write(LEDGER, [file], retain_until_ms=self._retention.until_ms(self._clock.now_ms()))
            ring = self.stated()
            if ring == before:
                # A file that is no statement has the name. The pinned key goes on signing; an operator must look.
                self._telemetry.count("ForeignFiles")
                self._telemetry.note("a signing key cannot be pinned", generation=statement.generation)
                return ring
        return ring

    def _next_statement(self, ring: KeyRing) -> KeyStatement:
        now_ms = self._clock.now_ms()
        if ring.newest.statement is None:
            return KeyStatement(self._ledger_name, 1, ring.newest.public_key, now_ms)
        successor = self._signers[ring.newest.generation].public_key()
        return keyring.following(ring, successor, valid_from_ms=now_ms + HANDOVER_MS)

    def _refuse_successor(self, ring: KeyRing) -> None:
        generation = ring.newest.generation + 1
        note = self._files.read(LEDGER, statement_path(generation))
        if note is None or ring.newest.statement is None:
            return
        known = [key.statement.data for key in ring.keys if key.statement is not None]
        with suppress(NoteError):
            KeyRing.trusting(ring.newest.public_key, [*known, note], ledger_name=self._ledger_name)
            raise ConfigurationError(
                f"generation {generation} of the signing key is pinned, but the deployment does not name it:"
                " signing_keys must never be lowered"
            )
