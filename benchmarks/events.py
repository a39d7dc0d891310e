# SPDX-License-Identifier: Apache-2.0
"""What is recorded: a real agent run from a file, or a made-up one of the same shape."""

from __future__ import annotations

import hashlib
import json
import random
from itertools import groupby
from pathlib import Path
from typing import Any

Event = dict[str, Any]

TRACES = 200
_SEED = 7
_WORDS = ("order", "refund", "flight", "change", "policy", "customer", "amount", "cancel", "confirm", "baggage", "card")


def load(path: Path) -> list[Event]:
    """One event a line. Raises FileNotFoundError."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def synthetic() -> list[Event]:
    """Two hundred traces: submitted, six decisions each with its tool's result (more or less), completed."""
    source = random.Random(_SEED)
    events: list[Event] = []
    for number in range(TRACES):
        common = {"trace_id": f"synthetic-{number}", "actor": "synthetic-agent"}
        events.append(_pipeline("PIPELINE_SUBMITTED", "submit", number, common, {"trial": 0}))
        for step in range(max(1, round(source.gauss(5.5, 3.5)))):
            call = {**common, "correlation_id": f"call_{number}_{step}"}
            decision = {"event_type": "AGENT_DECISION", "level": "decision", "action": "look_up", "target": f"t-{step}"}
            reason = f"asked by the customer: {_text(source, 30)}"
            events.append({**call, **decision, "reason": reason, "payload": {"arguments": {"id": f"u_{step}"}}})
            output = _text(source, 60)
            payload = {"output": output, "output_hash": f"sha256:{hashlib.sha256(output.encode()).hexdigest()}"}
            result = {"event_type": "TOOL_RESULT", "level": "agent", "action": "execute", "target": "look_up"}
            events.append({**call, **result, "payload": payload})
        events.append(_pipeline("PIPELINE_COMPLETED", "complete", number, common, {"reward": 1.0}))
    return events


def by_trace(events: list[Event]) -> list[list[Event]]:
    """Consecutive events of one trace together, at most a hundred at a time."""
    traces = [list(group) for _, group in groupby(events, key=lambda event: event.get("trace_id"))]
    return [trace[start : start + 100] for trace in traces for start in range(0, len(trace), 100)]


def _pipeline(kind: str, action: str, number: int, common: Event, payload: Event) -> Event:
    stage = {"event_type": kind, "level": "pipeline", "action": action, "target": f"task-{number}"}
    return {**common, **stage, "payload": payload}


def _text(source: random.Random, words: int) -> str:
    return " ".join(source.choices(_WORDS, k=words))
