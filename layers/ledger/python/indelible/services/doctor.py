# SPDX-License-Identifier: Apache-2.0
"""Check a deployed ledger: a list of small checks, each independent of the others. Reads only.

Invariant: a check says ok only of what it has read. What it cannot read is unknown, never ok; a check that fails, or
raises, keeps no other from being made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from indelible.errors import LedgerError
from indelible.ports.deployment import CannotTell

AGAIN = "Run this command again."
_NO_ANSWER = "Grant the permission, or check by hand."


class Health(StrEnum):
    """The outcome of a check. UNKNOWN: it could not be made, which says nothing about the ledger."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what an operator should do about it (empty where there is nothing to do)."""

    check: str
    health: Health
    found: str
    advice: str = ""


Check = Callable[[], Iterable[Finding]]


def ok(check: str, found: str) -> Finding:
    """A finding that needs no action."""
    return Finding(check, Health.OK, found)


def examine(checks: Iterable[tuple[str, Check]], done: Callable[[str], None] = lambda _: None) -> list[Finding]:
    """Make every check, and call `done` with its name after each. Never raises what a check raises."""
    findings: list[Finding] = []
    for name, check in checks:
        try:
            findings += check()
        except CannotTell as error:
            findings.append(Finding(name, Health.UNKNOWN, str(error), _NO_ANSWER))
        except LedgerError as error:
            findings.append(Finding(name, Health.UNKNOWN, f"{error.code}: {error.message}", AGAIN))
        except Exception as error:  # for example AccessDenied, as an exception of the SDK, which services do not know
            findings.append(Finding(name, Health.UNKNOWN, f"{type(error).__name__}: {error}", _NO_ANSWER))
        done(name)
    return findings
