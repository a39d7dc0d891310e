# SPDX-License-Identifier: Apache-2.0
"""Where a long verification is, in a file: after an interruption it goes on there.

Invariant: the file is written whole or not at all, and only where the chain up to there is settled: one record, one
hash. It is the auditor's own file and as trustworthy as the place where it lies; nothing in it is the ledger's word.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from indelible.audit.source import NotEvidence
from indelible.domain.chain import ChainChecker
from indelible.domain.checkpoint import Checkpoint
from indelible.domain.findings import Failure
from indelible.domain.merkle import Subtree
from indelible.domain.record import Head
from indelible.services.roots import RootChecker

_EVERY_SECONDS = 5.0


class _Node(Struct, frozen=True):
    height: int
    root: str


class State(Struct, frozen=True, kw_only=True):
    """What a walk has found out up to the record `last`, behind which the source goes on `after` this key.

    `first` is the first sequence that was asked for; `tree` is None where no signed root was waited for any more.
    """

    first: int
    after: str
    last: Head
    entries_checked: int
    failures: list[Failure]
    failures_total: int
    first_broken_at: int | None
    tree: list[_Node] | None
    signed: Checkpoint | None

    @classmethod
    def of(cls, checker: ChainChecker, roots: RootChecker, *, first: int, last: Head, after: str) -> State:
        """Right after a run that ends in `last` was joined."""
        tree = roots.tree
        return cls(
            first=first,
            after=after,
            last=last,
            entries_checked=checker.entries_checked,
            failures=checker.failures,
            failures_total=checker.failures_total,
            first_broken_at=checker.first_broken_at,
            tree=None if tree is None else [_Node(part.height, part.root.hex()) for part in tree],
            signed=roots.last,
        )

    def put_back(self, checker: ChainChecker, roots: RootChecker) -> None:
        """Into a checker that starts after `last`, and its roots."""
        checker.go_on(self.last)
        checker.entries_checked, checker.first_broken_at = self.entries_checked, self.first_broken_at
        checker.failures, checker.failures_total = [*self.failures], self.failures_total
        roots.begin([Subtree(node.height, bytes.fromhex(node.root)) for node in self.tree or ()])
        roots.last = self.signed
        if self.tree is None:
            roots.stop()
        again = len(checker.failures)  # beginning looks at the latest checkpoint once more, and may say the same again
        checker.failures = list(dict.fromkeys(checker.failures))
        checker.failures_total -= again - len(checker.failures)


class _File(Struct, frozen=True, kw_only=True):
    format: Literal["indelible/progress@v2"] = "indelible/progress@v2"
    about: str
    identity: str | None
    state: State


class Keeper:
    """Writes a state now and then. `about` is what was asked of which source; that of another is not gone on with.

    `identity` is that of the source's file (see Source): once it has changed, what was read of it counts no more.
    """

    def __init__(self, path: Path, about: str, identity: str | None, say: Callable[[str], None]) -> None:
        self._path = path
        self._fresh = path.with_name(f"{path.name}.new")
        self._about = hashlib.sha256(about.encode()).hexdigest()
        self._identity = identity
        self._say = say
        self._due = time.monotonic() + _EVERY_SECONDS

    def load(self) -> State | None:
        """Where to go on; None where nothing was begun, or the source has changed, which is said.

        That it can be written is tried now: after hours of reading is too late to say so. Raises NotEvidence for a file
        of something else.
        """
        if not self._path.parent.is_dir():
            raise NotEvidence(f"{self._path}: there is no directory {self._path.parent}")
        self._fresh.touch()
        self._fresh.unlink()
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise NotEvidence(f"{self._path} is no progress file: name another") from None
        if found.about != self._about:
            raise NotEvidence(f"{self._path} is about another source or another question: name another, or remove it")
        if found.identity != self._identity:
            self._say(f"{self._path} is about a file that has changed since: it is read from its beginning")
            return None
        return found.state

    def keep(self, state: Callable[[], State]) -> None:
        """If it is time."""
        if time.monotonic() < self._due:
            return
        self._fresh.write_bytes(msgspec.json.encode(_File(about=self._about, identity=self._identity, state=state())))
        self._fresh.replace(self._path)
        self._due = time.monotonic() + _EVERY_SECONDS

    def done(self) -> None:
        """Nothing is left to go on with."""
        self._path.unlink(missing_ok=True)
