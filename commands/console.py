"""What a command writes on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

out = Console()
err = Console(stderr=True)


@contextmanager
def bar(words: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on the terminal; nothing but the last line where there is none."""
    columns = (TextColumn(words), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=False) as progress:
        task = progress.add_task(words, total=total)
        yield lambda done: progress.update(task, completed=done)
        progress.update(task, completed=total)
