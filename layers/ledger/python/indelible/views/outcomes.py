# SPDX-License-Identifier: Apache-2.0
"""Maps the words that callers use for an outcome to a few meanings, by whole words: DISALLOWED is not ALLOWED.

Invariant: a word that is not in the table has no meaning; parts of words are never matched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Row = tuple[str, tuple[frozenset[str], ...]]
"""A meaning, and groups of words: a text that contains a word of every group has that meaning."""


def row(meaning: str, *groups: str) -> Row:
    """A row of the table. Each group is a string of upper-case words, separated by spaces."""
    return meaning, tuple(frozenset(group.split()) for group in groups)


FAILED = "FAIL FAILS FAILED FAILURE FAILURES ERROR ERRORS ERRORED EXCEPTION EXCEPTIONS"
ESCALATED = (
    row("escalated", "ESCALATE ESCALATES ESCALATED ESCALATION ESCALATIONS"),
    row("escalated", "REQUIRE REQUIRES REQUIRED NEED NEEDS NEEDED", "HUMAN"),
)
_PERMITTED = "ALLOW ALLOWS ALLOWED APPROVE APPROVES APPROVED"
_OUTCOMES = (
    *ESCALATED,
    row(
        "denied",
        "DENY DENIES DENIED DENIAL BLOCK BLOCKS BLOCKED REJECT REJECTS REJECTED REJECTION REFUSE REFUSES REFUSED"
        " REFUSAL DISALLOW DISALLOWS DISALLOWED DISAPPROVE DISAPPROVES DISAPPROVED REVOKE REVOKES REVOKED"
        " FORBID FORBIDS FORBIDDEN PROHIBITED UNAUTHORIZED UNAUTHORISED",
    ),
    row("timeout", "TIMEOUT TIMEDOUT"),
    row("timeout", "TIME TIMED", "OUT"),
    row("failure", f"{FAILED} ABORT ABORTS ABORTED BROKE BROKEN CRASHED INCOMPLETE UNSUCCESSFUL UNSUCCESSFULLY UNABLE"),
    row("permitted", _PERMITTED),
    row("success", "SUCCESS SUCCESSFUL SUCCESSFULLY SUCCEED SUCCEEDED OK OKAY DONE COMPLETE COMPLETES COMPLETED"),
)
_NOT = frozenset({"NO", "NON", "NOT", "NEVER", "CANNOT", "WITHOUT", "UN", "DIS"})
_NEGATED = {"permitted": "denied", "success": "failure"}
_CAMEL = re.compile("(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]+")


def outcome_of(value: object) -> str | None:
    """success, failure, timeout, denied or escalated; None for unknown words and for a value that is not a string."""
    found = words(value) if isinstance(value, str) else frozenset()
    meaning = first(_OUTCOMES, found)
    if found & _NOT:
        return _NEGATED.get(meaning or "")  # "not approved" is denied; "no errors" has no meaning
    return "success" if meaning == "permitted" else meaning


def first(rows: Iterable[Row], found: frozenset[str]) -> str | None:
    """The meaning of the first row that matches these words; None if none does."""
    return next((meaning for meaning, groups in rows if all(found & group for group in groups)), None)


def words(text: str) -> frozenset[str]:
    """`Tool.callResult2` → TOOL, CALL, RESULT."""
    return frozenset(_WORD.findall(_CAMEL.sub(" ", text).upper()))
