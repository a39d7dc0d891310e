# SPDX-License-Identifier: Apache-2.0
"""The cells of a matrix of two processes: where the first is stopped, and where the second.

All of them with `make crash-matrix`. An ordinary run takes some diagonals only, which still stop each process at each
of its calls: every seventh of two processes that do the same, every third of two that do not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import product

WHOLE = os.environ.get("INDELIBLE_CRASH_MATRIX") == "whole"


def cells(first: Iterable[int], second: Iterable[int], *, every: int = 7) -> Iterator[tuple[int, int]]:
    """Pairs of places, in order; of every so many diagonals one, unless all are asked for."""
    return (pair for pair in product(first, second) if WHOLE or sum(pair) % every == 0)
