# SPDX-License-Identifier: Apache-2.0
"""The catalogue: every named thing that can be done to a stored chain, and what a verifier must say.

Invariant: the expected failures are written here by hand from the rules (docs/format.md), never taken from what the
code under test happens to answer. `[code, sequence]`, or `[code, first, last]` for a run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.vectors.stored_chain import Stored, base_chain

Expected = list[list[Any]]
CATALOGUE: dict[str, tuple[str, Callable[[], Stored], Expected]] = {}


def mutation(name: str, *expected: tuple[Any, ...]) -> Callable[[Callable[[Stored], Stored | None]], None]:
    """Register a change to a fresh copy of the stored chain; the docstring says what was done."""

    def register(change: Callable[[Stored], Stored | None]) -> None:
        def apply() -> Stored:
            stored = Stored(base_chain())
            return change(stored) or stored

        what = " ".join((change.__doc__ or "").split())
        CATALOGUE[name] = (what, apply, [list(failure) for failure in expected])

    return register
