"""The services of a worker: when one of them ends by itself, the worker ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from logs import words_of

_log = logging.getLogger(__name__)


class ServiceEnded(RuntimeError):
    """A service ended by itself; the text says which, and why."""


class Services:
    """Made by ``serving``."""

    def __init__(self, block: asyncio.Task[Any]) -> None:
        self._block = block
        self._started: list[tuple[asyncio.Task[None], Callable[[], Awaitable[None]] | None]] = []
        self._ending = False
        self.ended: ServiceEnded | None = None

    def start(
        self,
        name: str,
        work: Coroutine[Any, Any, None],
        stop: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """``stop`` shuts it down at the end of the block; without it the service is cancelled."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._over)
        self._started.append((task, stop))

    def _over(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if self._ending or self.ended is not None:
            if error is not None:
                _log.error("%s: %s", task.get_name(), error)
            return
        why = words_of(error) if error else "it stopped without an error"
        self.ended = ServiceEnded(f"{task.get_name()} has ended: {why}")
        self.ended.__cause__ = error
        _log.critical("%s", str(self.ended))
        self._block.cancel()

    async def end(self) -> None:
        """End all services, the last one first."""
        self._ending = True
        for task, stop in reversed(self._started):
            if stop is not None and not task.done():
                await stop()
            else:
                task.cancel()
            await asyncio.wait([task])


@asynccontextmanager
async def serving() -> AsyncIterator[Services]:
    """Services that run beside the block and end with it. When one ends by itself, the block is
    cancelled, the other services are ended, and ServiceEnded is raised."""
    block = asyncio.current_task()
    assert block is not None, "called in a task"
    services = Services(block)
    try:
        try:
            yield services
        finally:
            await services.end()
    except asyncio.CancelledError:
        if services.ended is None:
            raise
        block.uncancel()
    if services.ended is not None:
        raise services.ended
