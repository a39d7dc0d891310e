# SPDX-License-Identifier: Apache-2.0
"""The state of a long verification, in a file: after an interruption it is continued from there.

Invariant: the file is written whole or not at all, and only where the chain up to there is settled: one record, one
hash. It is the auditor's own file, and as trustworthy as the place where it is stored: the ledger signs nothing in it.
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
    """What a walk has found up to the record `last`; the source continues `after` this key.

    `first` is the first sequence of the range; `tree` is None where no later root can be checked.
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
        """The state right after a run that ends in `last` was joined."""
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
        """Restore it, into a checker that starts after `last` and its roots, instead of `roots.begin()`."""
        checker.go_on(self.last)
        checker.entries_checked, checker.first_broken_at = self.entries_checked, self.first_broken_at
        checker.failures, checker.failures_total = [*self.failures], self.failures_total
        roots.begin([Subtree(node.height, bytes.fromhex(node.root)) for node in self.tree or ()])
        roots.last = self.signed
        if self.tree is None:
            roots.stop()
        again = len(checker.failures)  # `begin` checks the latest checkpoint again, and may report the same failure
        checker.failures = list(dict.fromkeys(checker.failures))
        checker.failures_total -= again - len(checker.failures)


class _File(Struct, frozen=True, kw_only=True):
    format: Literal["indelible/progress@v2"] = "indelible/progress@v2"
    about: str
    identity: str | None
    state: State


class ProgressFile:
    """Saves a state every few seconds. `about` names the source and the question; a file about another is refused.

    `identity` is that of the source's file (see Source): once it has changed, the state is not used. `say` is called
    with a line for people.
    """

    def __init__(self, path: Path, about: str, identity: str | None, say: Callable[[str], None]) -> None:
        self._path = path
        self._fresh = path.with_name(f"{path.name}.new")
        self._about = hashlib.sha256(about.encode()).hexdigest()
        self._identity = identity
        self._say = say
        self._due = time.monotonic() + _EVERY_SECONDS

    def load(self) -> State | None:
        """The state to continue from; None where there is none, or the source has changed, which `say` is told.

        Tries now whether the file can be written: after hours of reading it would be too late. Raises NotEvidence for a
        file that is about something else, and OSError where it cannot be written.
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

    def save(self, state: Callable[[], State]) -> None:
        """Write the state if the last one is some seconds old. `state` is called only then."""
        if time.monotonic() < self._due:
            return
        self._fresh.write_bytes(msgspec.json.encode(_File(about=self._about, identity=self._identity, state=state())))
        self._fresh.replace(self._path)
        self._due = time.monotonic() + _EVERY_SECONDS

    def remove(self) -> None:
        """At the end of a verification: nothing is left to continue."""
        self._path.unlink(missing_ok=True)
