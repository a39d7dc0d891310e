# SPDX-License-Identifier: Apache-2.0
"""The cells of a matrix of two processes: where the first is stopped, and where the second.

All of them with `make crash-matrix`; every seventh diagonal in an ordinary run, which still stops each process at each
of its calls.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import product

WHOLE = os.environ.get("INDELIBLE_CRASH_MATRIX") == "whole"


def cells(first: Iterable[int], second: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Pairs of places, in order."""
    return (pair for pair in product(first, second) if WHOLE or sum(pair) % 7 == 0)
