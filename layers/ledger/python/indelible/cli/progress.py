# SPDX-License-Identifier: Apache-2.0
"""How far a command is among the records: a line on stderr, where a person looks at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_WIDE = 80
"""Columns of a terminal from which on there is room for more than the numbers."""


@contextmanager
def records_bar(what: str, console: Console | None = None) -> Iterator[Callable[[int, int | None], None]]:
    """Told how many records are done, and how many there are (None where nobody knows), it draws that."""
    stderr = console or Console(stderr=True)
    numbers = (_Count(), _Rate(), _Left())
    columns = numbers if stderr.width < _WIDE else (TextColumn(what), BarColumn(), *numbers, TimeElapsedColumn())
    bar = Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal)
    tasks: list[TaskID] = []

    def told(done: int, of: int | None) -> None:
        if not tasks:  # what an earlier run has done says nothing about how fast this one is
            tasks.append(bar.add_task(what, total=of, completed=done))
            bar.start()
        bar.update(tasks[0], total=None if of is None else max(of, done), completed=done)

    try:
        yield told
    finally:
        bar.stop()


class _Count(ProgressColumn):
    """How many, of how many."""

    def render(self, task: Task) -> Text:
        """See ProgressColumn."""
        return Text(f"{task.completed:,.0f}/" + ("?" if task.total is None else f"{task.total:,.0f}"), no_wrap=True)


class _Rate(ProgressColumn):
    """Records a second."""

    def render(self, task: Task) -> Text:
        """See ProgressColumn."""
        return Text(f"{task.finished_speed or task.speed or 0:,.0f}/s", no_wrap=True)


class _Left(TimeRemainingColumn):
    """The time left, where anybody knows how many there are."""

    def render(self, task: Task) -> Text:
        """See ProgressColumn."""
        left = TimeRemainingColumn.render(self, task)
        return left if task.total is None else left + Text(" left")
