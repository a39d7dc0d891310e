# SPDX-License-Identifier: Apache-2.0
"""Counts over the records of a range: events, agents, outcomes, gates, human overrides, failures.

Invariant: the records are read once, and memory does not grow with their number. Names beyond the ten-thousandth are
counted together, and only the first few single records are kept. What a record does not state is not guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from indelible.views.outcomes import outcome_of
from indelible.views.source import Entry

GATES = ("ALLOW", "BLOCK", "REQUIRE_HUMAN")
"""The verdicts of a policy gate."""
MOST_NAMES = 10_000
LONGEST_TEXT = 200
"""Characters; longer texts are cut off, and are counted together if they begin alike."""
MOST_KEPT = 25
"""Single records that are listed, of each sort."""
NOBODY = "(nobody named)"
UNNAMED = "(no event type)"

_SHADOW = re.compile(r"(^|[._-])shadow([._-]|$)", re.IGNORECASE)


@dataclass(slots=True)
class Tally:
    """The number of occurrences of each name."""

    _names: Counter[str] = field(default_factory=Counter)
    _beyond: int = 0

    def add(self, name: str) -> None:
        """Count one more occurrence."""
        if name in self._names or len(self._names) < MOST_NAMES:
            self._names[name] += 1
        else:
            self._beyond += 1

    @property
    def total(self) -> int:
        """The number of occurrences of all names."""
        return self._names.total() + self._beyond

    @property
    def kinds(self) -> int:
        """The number of different names; those beyond the limit count as one."""
        return len(self._names) + bool(self._beyond)

    def most(self, count: int) -> list[tuple[str, int]]:
        """The most frequent names, in alphabetical order if equally frequent."""
        return sorted(self._names.items(), key=lambda one: (-one[1], one[0]))[:count]


@dataclass(frozen=True, slots=True)
class Mark:
    """One listed record. `cause` is why it is listed: its outcome, or the operator who overrode."""

    sequence: int
    timestamp: str
    tx_hash: str
    event_type: str
    agent: str
    cause: str = ""
    reason: str = ""


@dataclass(slots=True)
class Marks:
    """Records of one sort: their number, and the first MOST_KEPT of them."""

    count: int = 0
    first: list[Mark] = field(default_factory=list)

    def add(self, mark: Mark) -> None:
        """Count one more, and keep it if it is among the first."""
        self.count += 1
        if len(self.first) < MOST_KEPT:
            self.first.append(mark)


@dataclass(slots=True)
class Summary:
    """Counts over the records that were added. `shadow_gates` counts the verdicts of policies in shadow mode."""

    records: int = 0
    first: Mark | None = None
    last: Mark | None = None
    event_types: Tally = field(default_factory=Tally)
    agents: Tally = field(default_factory=Tally)
    outcomes: Tally = field(default_factory=Tally)
    gates: Counter[str] = field(default_factory=Counter)
    shadow_gates: Counter[str] = field(default_factory=Counter)
    overrides: Marks = field(default_factory=Marks)
    failures: Marks = field(default_factory=Marks)

    @classmethod
    def of(cls, found: Iterable[Entry]) -> Summary:
        """Summarize all of these records."""
        made = cls()
        for entry in found:
            made.add(entry)
        return made

    def add(self, entry: Entry) -> None:
        """Add the next record, in chain order."""
        mark = _mark(entry)
        self.records += 1
        self.first, self.last = self.first or mark, mark
        self.event_types.add(mark.event_type)
        self.agents.add(mark.agent)
        outcome = _text(entry.part("aow_context").get("outcome"))
        if outcome:
            self.outcomes.add(outcome)
        if outcome_of(outcome) in ("failure", "timeout"):
            self.failures.add(_mark(entry, cause=outcome, reason=_text(entry.event.get("reason"))))
        gate = _gate(entry, outcome)
        if gate is not None:
            (self.shadow_gates if _is_shadow(entry) else self.gates)[gate] += 1
        override = entry.part("regulatory").get("human_override")
        if isinstance(override, dict) and override.get("overridden") is True:
            operator, reason = _text(override.get("operator")), _text(override.get("reason"))
            self.overrides.add(_mark(entry, cause=operator or NOBODY, reason=reason))


def _mark(entry: Entry, *, cause: str = "", reason: str = "") -> Mark:
    return Mark(
        sequence=entry.sealed.sequence,
        timestamp=str(entry.members["timestamp"]),
        tx_hash=entry.sealed.tx_hash,
        event_type=_text(entry.event_type) or UNNAMED,
        # The saved queries of the auditor's workgroup count agents in the same way.
        agent=_text(entry.event.get("actor")) or _text(entry.part("aow_context").get("agent_urn")) or NOBODY,
        cause=cause,
        reason=reason,
    )


def _gate(entry: Entry, outcome: str) -> str | None:
    payload = _payload(entry)
    verdicts = (_text(payload.get("gate")), _text(payload.get("decision")), outcome)
    return next((text.upper() for text in verdicts if text.upper() in GATES), None)


def _is_shadow(entry: Entry) -> bool:
    return _SHADOW.search(entry.event_type) is not None or _payload(entry).get("mode") == "shadow"


def _payload(entry: Entry) -> dict[str, object]:
    return entry.part("payload") or entry.part("detail")


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return value if len(value) <= LONGEST_TEXT else f"{value[:LONGEST_TEXT]}…"
