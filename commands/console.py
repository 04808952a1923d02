"""What a command writes on the terminal: results to stdout, everything else to stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

out = Console()
err = Console(stderr=True)


def say(text: str) -> None:
    """Writes one line to stdout as it is, not wrapped."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def warn(text: str, style: str | None = None) -> None:
    """Writes one line to stderr as it is, not wrapped."""
    err.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def bar(words: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; without a terminal only its last line is written."""
    columns = (TextColumn(words), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=False) as progress:
        task = progress.add_task(words, total=total)
        yield lambda done: progress.update(task, completed=done)
        progress.update(task, completed=total)
