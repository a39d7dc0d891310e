# SPDX-License-Identifier: Apache-2.0
"""Run in the environment of nexuscone: make a chain with its own code, or verify one and say how long it took."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from nexuscone import Ledger  # type: ignore[import-not-found]


async def make(path: Path, count: int, size: int) -> None:
    """Append entries one by one, without waiting for the disk."""
    async with Ledger(path) as ledger:
        await ledger._db.execute("PRAGMA synchronous = OFF")
        await ledger._db.execute("PRAGMA journal_mode = MEMORY")
        for _ in range(count):
            await ledger.log(actor="agent", action="approve", payload={"text": "x" * size})


async def verify(path: Path, count: int) -> float:
    """Seconds of `verify_chain`, which hashes every entry and compares the links."""
    async with Ledger(path) as ledger:
        begun = time.perf_counter()
        checked = await ledger.verify_chain()
        seconds = time.perf_counter() - begun
    if checked != count:
        raise SystemExit(f"{checked} entries instead of {count}")
    return seconds


if __name__ == "__main__":
    _, what, where, number, *rest = sys.argv
    if what == "make":
        asyncio.run(make(Path(where), int(number), int(rest[0])))
    else:
        print(json.dumps({"seconds": asyncio.run(verify(Path(where), int(number)))}))
