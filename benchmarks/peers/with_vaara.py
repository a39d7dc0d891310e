# SPDX-License-Identifier: Apache-2.0
"""Run in the environment of vaara: make a trail with its own code, or verify one and say how long it took."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def make(path: Path, count: int, size: int) -> None:
    """Record actions one by one, without waiting for the disk."""
    from vaara.audit.sqlite_backend import SQLiteAuditBackend  # type: ignore[import-not-found]
    from vaara.audit.trail import AuditTrail  # type: ignore[import-not-found]
    from vaara.taxonomy.actions import (  # type: ignore[import-not-found]
        ActionCategory,
        ActionRequest,
        ActionType,
        BlastRadius,
        Reversibility,
    )

    backend = SQLiteAuditBackend(path)
    backend._conn.execute("PRAGMA synchronous = OFF")
    kind = ActionType("approve", next(iter(ActionCategory)), Reversibility.FULLY, BlastRadius.LOCAL)
    trail = AuditTrail(on_record=backend.write_record)
    for _ in range(count):
        trail.record_action_requested(ActionRequest("agent", "tool", kind, parameters={"text": "x" * size}))
    backend.close()


def verify(path: Path) -> float:
    """Seconds of `verify_chain_streaming`, its faster way for a stored trail."""
    from vaara.audit.sqlite_backend import SQLiteAuditBackend

    backend = SQLiteAuditBackend(path)
    begun = time.perf_counter()
    trouble = backend.verify_chain_streaming()
    seconds = time.perf_counter() - begun
    if trouble is not None:
        raise SystemExit(trouble)
    return seconds


if __name__ == "__main__":
    _, what, where, number, *rest = sys.argv
    # It lists its databases in the home directory; that of whoever runs a benchmark is left alone.
    os.environ["HOME"] = str(Path(where).resolve().parent)
    if what == "make":
        make(Path(where), int(number), int(rest[0]))
    else:
        print(json.dumps({"seconds": verify(Path(where))}))
