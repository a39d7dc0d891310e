# SPDX-License-Identifier: Apache-2.0
"""`indelible trace`: one run from the pipeline down to each decision, with the whys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click
from rich.text import Text
from rich.tree import Tree

from indelible.audit.lookup import Step, all_of_trace, history
from indelible.audit.source import NotEvidence
from indelible.cli.plain import Output, plain
from indelible.cli.progress import records_bar
from indelible.cli.sources import json_option, opened, or_could_not, with_source
from indelible.domain import instants

_DEEPEST = 40
_WIDE = 1 << 20
"""Columns: rich leaves out what is deeper than the terminal is wide; the terminal itself goes on in the next line."""
_STYLES = {"pipeline": "bold cyan", "agent": "bold", "decision": "yellow"}


@click.command()
@with_source
@click.argument("trace_id")
@json_option
def trace(
    source: str, org: str | None, profile: str | None, endpoint_url: str | None, trace_id: str, as_json: bool
) -> None:
    """Show the whole history of one trace as a tree: pipeline, agents, decisions.

    Reads every record of the source. Shows what is stored; `indelible verify` says whether it is as it was sealed.
    """
    with or_could_not("show"):
        evidence = opened(source, org=org, profile=profile, endpoint_url=endpoint_url)
        with records_bar("reading") as progress:
            steps = history(all_of_trace(evidence, trace_id, progress))
        if not steps:
            raise NotEvidence(f"{evidence.where} has no record of the trace {trace_id}")
    if as_json:
        click.echo("".join([f'{{"trace_id": {json.dumps(trace_id)}, "steps": ', *_as_json(steps), "}"]))
        return
    tree = Tree(plain(trace_id, style="bold"))
    _grow(tree, steps)
    output = Output()
    output.width = _WIDE
    output.print(tree)


def _as_json(steps: list[Step]) -> Iterator[str]:
    """The list, piece by piece: a chain of steps may be deeper than any encoder goes."""
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
    """A step stands below its parent; from `_DEEPEST` on they stand below each other, so that lines stay readable."""
    waiting = [(tree, 0, step) for step in reversed(steps)]
    while waiting:
        above, depth, step = waiting.pop()
        branch = above.add(_line(step))
        inside = branch if depth < _DEEPEST else above
        waiting += [(inside, depth + 1, below) for below in reversed(step.below)]


def _line(step: Step) -> Text:
    entry, event = step.found.record, step.found.event
    level = event.get("level")
    line = Text(f"{entry.sequence:>5} ", style="dim")
    line.append(instants.to_text(entry.timestamp_ms)[:-1].replace("T", " ") + " ", style="dim")
    line.append_text(plain(event.get("actor", "?"), style=_STYLES.get(str(level), "")))
    doing = " ".join(str(event[name]) for name in ("action", "target") if name in event) or str(event.get("event_type"))
    line.append_text(plain(f" {doing}"))
    if event.get("reason"):
        line.append("\n      why: ", style="italic")
        line.append_text(plain(event["reason"], style="italic"))
    return line
