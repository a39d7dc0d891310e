# SPDX-License-Identifier: Apache-2.0
"""What a number was measured on, and how many numbers become one."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

Machine: TypeAlias = dict[str, str | int | float]


@dataclass(frozen=True)
class Latency:
    """Milliseconds."""

    median: float
    p99: float
    worst: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Latency:
        """Nearest-rank percentiles."""
        ordered = sorted(seconds)
        return cls(*(round(1000 * _rank(ordered, share), 1) for share in (0.5, 0.99, 1.0)))


def describe() -> Machine:
    """Processor, cores that this process may use, how busy they are (a minute's load average), and versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "processor": _processor(),
        "cores": cores,
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "emulator": f"MiniStack {version('ministack')}",
        "boto3": version("boto3"),
    }


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
