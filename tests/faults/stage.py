# SPDX-License-Identifier: Apache-2.0
"""Several processes, one at a time, switched exactly where a plan says.

A plan is a list of (process, calls): let it run until it has made that many port calls in all, None until it ends.
What is left when the plan is over runs to its end in the order of the processes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Plan = Sequence[tuple[str, int | None]]


@dataclass
class _Actor:
    run: Callable[[], Any]
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    calls: int = 0
    limit: int | None = 0
    done: bool = False
    result: Any = None
    failure: BaseException | None = None


class Stage:
    """Runs processes by a plan. Deterministic: at most one of them is ever awake."""

    def __init__(self) -> None:
        self._actors: dict[str, _Actor] = {}
        self._back = threading.Semaphore(0)

    def gate(self, name: str) -> Callable[[], None]:
        """What the process's wire asks before each call."""

        def ask() -> None:
            actor = self._actors.get(name)
            if actor is None or threading.current_thread().name != f"actor-{name}":
                return
            while actor.limit is not None and actor.calls >= actor.limit:
                self._back.release()
                actor.turn.acquire()
            actor.calls += 1

        return ask

    def play(self, processes: dict[str, Callable[[], Any]], plan: Plan) -> dict[str, Any]:
        """The result of each; an AssertionError of any is raised here."""
        self._actors = {name: _Actor(run) for name, run in processes.items()}
        threads = [
            threading.Thread(target=self._live, args=(actor,), name=f"actor-{name}", daemon=True)
            for name, actor in self._actors.items()
        ]
        for thread in threads:
            thread.start()
        for name, limit in [*plan, *((name, None) for name in processes)]:
            actor = self._actors[name]
            if actor.done:
                continue
            actor.limit = limit
            actor.turn.release()
            self._back.acquire()
        for thread in threads:
            thread.join()
        for actor in self._actors.values():
            if actor.failure is not None:
                raise actor.failure
        return {name: actor.result for name, actor in self._actors.items()}

    def _live(self, actor: _Actor) -> None:
        actor.turn.acquire()
        try:
            actor.result = actor.run()
        except BaseException as failure:
            actor.failure = failure
        finally:
            actor.done = True
            self._back.release()
