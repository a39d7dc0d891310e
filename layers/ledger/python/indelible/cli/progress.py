# SPDX-License-Identifier: Apache-2.0
"""A progress bar on stderr, drawn only on a terminal."""

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

_WIDE_COLUMNS = 80
"""Width of a terminal from which there is room for more than the numbers."""


@contextmanager
def records_bar(title: str, console: Console | None = None) -> Iterator[Callable[[int, int | None], None]]:
    """Yields `update(done, total)`, in records; `total` is None while it is unknown."""
    stderr = console or Console(stderr=True)
    numbers = (_Count(), _Rate(), _Remaining())
    wide = stderr.width >= _WIDE_COLUMNS
    columns = (TextColumn(title), BarColumn(), *numbers, TimeElapsedColumn()) if wide else numbers
    bar = Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal)
    tasks: list[TaskID] = []

    def update(done: int, total: int | None) -> None:
        if not tasks:  # records that an earlier run read must not count in this run's speed
            tasks.append(bar.add_task(title, total=total, completed=done))
            bar.start()
        bar.update(tasks[0], total=None if total is None else max(total, done), completed=done)

    try:
        yield update
    finally:
        bar.stop()


class _Count(ProgressColumn):
    """`1,000/25,000`."""

    def render(self, task: Task) -> Text:
        """See ProgressColumn."""
        return Text(f"{task.completed:,.0f}/" + ("?" if task.total is None else f"{task.total:,.0f}"), no_wrap=True)


class _Rate(ProgressColumn):
    """Records a second."""

    def render(self, task: Task) -> Text:
        """See ProgressColumn."""
        return Text(f"{task.finished_speed or task.speed or 0:,.0f}/s", no_wrap=True)


class _Remaining(TimeRemainingColumn):
    """The time left, if the total is known."""

    def render(self, task: Task) -> Text:
        """See ProgressColumn."""
        left = TimeRemainingColumn.render(self, task)
        return left if task.total is None else left + Text(" left")
