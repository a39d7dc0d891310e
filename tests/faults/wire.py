# SPDX-License-Identifier: Apache-2.0
"""The wire between a process and its ports: where calls fail, processes die, and others get their turn.

A call can fail before it took effect or after, and one that writes several things also amid them; the caller is told
`Unavailable` either way, or is killed there by a BaseException that nothing catches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from inspect import isgeneratorfunction
from typing import Any, Literal, TypeVar, cast

from indelible.errors import Unavailable
from tests.fakes.world import Wiring

P = TypeVar("P")
When = Literal["before", "amid", "after"]
How = Literal["error", "outage", "kill"]

WHENS: tuple[When, ...] = ("before", "after")
HOWS: tuple[How, ...] = ("error", "outage", "kill")


SEVERAL = {"files.write": 1, "journal.clear": 1, "index.repair": 0, "ledger_outbox.clear": 0}
"""Calls that write several things, in no order, and which argument these are."""


class Killed(BaseException):
    """The process is gone."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at the n-th call (from 1). An outage lasts: every later call of that method fails alike."""

    at: int
    when: When
    how: How


@dataclass
class Wire(Wiring):
    """One process's connections. `gate` is asked before each call: it may let somebody else run first."""

    fault: Fault | None = None
    gate: Callable[[], None] = lambda: None
    calls: list[str] = field(default_factory=list)
    _out: str | None = None

    def to(self, name: str, port: P) -> P:
        return cast("P", _Wired(self, name, port))

    def cut(self) -> None:
        """The fault is repaired."""
        self.fault = self._out = None

    def enter(self, method: str) -> bool:
        """Count a call; fail it before it takes effect, or say that it must fail afterwards."""
        self.gate()
        self.calls.append(method)
        if self.fault is None:
            return False
        if len(self.calls) == self.fault.at and self.fault.how == "outage":
            self._out = method
        if len(self.calls) != self.fault.at and method != self._out:
            return False
        if self.fault.when == "before":
            self.fail()
        return True

    def fail(self) -> None:
        """Tell the caller, or kill it."""
        assert self.fault is not None
        if self.fault.how == "kill":
            raise Killed
        raise Unavailable("no answer")


class _Wired:
    """A port at the other end of a wire."""

    def __init__(self, wire: Wire, name: str, port: Any) -> None:
        self._wire, self._name, self._port = wire, name, port

    def __getattr__(self, method: str) -> Any:
        bound = getattr(self._port, method)
        if not callable(bound):
            return bound  # who it is, which is known without asking

        def call(*args: Any, **kwargs: Any) -> Any:
            failing = self._wire.enter(f"{self._name}.{method}")
            place = SEVERAL.get(f"{self._name}.{method}")
            if failing and place is not None and self._wire.fault is not None and self._wire.fault.when == "amid":
                # In any order, and some of them: every second one, from behind.
                args = (*args[:place], args[place][::-2], *args[place + 1 :])
            result = bound(*args, **kwargs)
            if failing:
                self._wire.fail()
            return result

        def stream(*args: Any, **kwargs: Any) -> Iterator[Any]:
            # A stream that fails afterwards fails in the middle: when its first item is already out.
            failing = self._wire.enter(f"{self._name}.{method}")
            for item in bound(*args, **kwargs):
                yield item
                if failing:
                    self._wire.fail()

        return stream if isgeneratorfunction(bound) else call
