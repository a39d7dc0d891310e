# SPDX-License-Identifier: Apache-2.0
"""`indelible trace`: the records of one run as a tree, from the pipeline to each decision and its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click
from rich.text import Text
from rich.tree import Tree

from indelible.audit.lookup import Step, all_of_trace, history
from indelible.audit.source import NotEvidence
from indelible.cli.options import json_option, source_options
from indelible.cli.progress import records_bar
from indelible.cli.sources import exit_on_failure, open_source
from indelible.cli.terminal import Output, safe_line
from indelible.domain import instants

_MAX_INDENT = 40
"""Levels of the tree that are indented."""
_UNLIMITED_WIDTH = 1 << 20
"""Columns. rich drops text that is indented beyond the width; the terminal wraps the line instead."""
_STYLES = {"pipeline": "bold cyan", "agent": "bold", "decision": "yellow"}


@click.command()
@source_options
@click.argument("trace_id")
@json_option
def trace(
    source: str, org: str | None, profile: str | None, endpoint_url: str | None, trace_id: str, as_json: bool
) -> None:
    """Show all records of one trace as a tree: pipeline, agents, decisions.

    Reads every record of the source. The records are shown as they are stored, without verification; for that, run
    `indelible verify`.
    """
    with exit_on_failure("show"):
        evidence = open_source(source, org=org, profile=profile, endpoint_url=endpoint_url)
        with records_bar("reading") as progress:
            steps = history(all_of_trace(evidence, trace_id, progress))
        if not steps:
            raise NotEvidence(f"{evidence.where} has no record of trace {trace_id}")
    if as_json:
        click.echo("".join([f'{{"trace_id": {json.dumps(trace_id)}, "steps": ', *_as_json(steps), "}"]))
        return
    tree = Tree(safe_line(trace_id, style="bold"))
    _grow(tree, steps)
    output = Output()
    output.width = _UNLIMITED_WIDTH
    output.print(tree)


def _as_json(steps: list[Step]) -> Iterator[str]:
    """The JSON of the list in pieces: a chain of steps may be deeper than the recursion limit of `json.dumps`."""
    open_lists = [iter(steps)]
    yield "["
    between = ""
    while open_lists:
        step = next(open_lists[-1], None)
        if step is None:
            open_lists.pop()
            yield "]}" if open_lists else "]"
            between = ", "
            continue
        yield f'{between}{json.dumps(_described(step))[:-1]}, "steps": ['
        open_lists.append(iter(step.below))
        between = ""


def _described(step: Step) -> dict[str, Any]:
    entry = step.found.record
    return {
        "sequence": entry.sequence,
        "audit_id": entry.audit_id,
        "tx_hash": entry.tx_hash,
        "timestamp": instants.to_text(entry.timestamp_ms),
        "event": step.found.event,
    }


def _grow(tree: Tree, steps: list[Step]) -> None:
    """Add each step below its parent; from `_MAX_INDENT` levels on without further indentation."""
    waiting = [(tree, 0, step) for step in reversed(steps)]
    while waiting:
        above, depth, step = waiting.pop()
        branch = above.add(_line(step))
        inside = branch if depth < _MAX_INDENT else above
        waiting += [(inside, depth + 1, below) for below in reversed(step.below)]


def _line(step: Step) -> Text:
    entry, event = step.found.record, step.found.event
    level = event.get("level")
    line = Text(f"{entry.sequence:>5} ", style="dim")
    line.append(instants.to_text(entry.timestamp_ms)[:-1].replace("T", " ") + " ", style="dim")
    line.append_text(safe_line(event.get("actor", "?"), style=_STYLES.get(str(level), "")))
    doing = " ".join(str(event[name]) for name in ("action", "target") if name in event) or str(event.get("event_type"))
    line.append_text(safe_line(f" {doing}"))
    if event.get("reason"):
        line.append("\n      why: ", style="italic")
        line.append_text(safe_line(event["reason"], style="italic"))
    return line
