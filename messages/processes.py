"""Processes that check and render texts from users, and that can be killed.

A thread that renders a template cannot be stopped, and blocks its whole process meanwhile. So
another process does it, with limits of time and memory, an empty environment and no connections. It
is killed when it takes too long (docs/decisions/0035).

    LIMITED_PROCESSES.run(refusal, plan)    # the same as refusal(plan)
"""

from __future__ import annotations

import atexit
import math
import os
import pickle
import queue
import resource
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TypeVar

T = TypeVar("T")

#: Seconds for one piece of work. An idle machine needs less than one for any allowed template.
BUDGET = 10.0
_START = 30.0  # seconds until a new process is ready on a busy machine
_MEMORY = 1 << 30  # bytes
_ROOT = Path(__file__).parents[1]
_LENGTH = struct.Struct(">Q")


class TakesTooLong(Exception):
    """The work was ended: it took more time or memory than its limits. Shorter texts help."""


class LimitedProcesses:
    """Processes, each with one piece of work at a time; they are started when they are needed.

    ``budget``: seconds for one piece of work.
    """

    def __init__(self, budget: float = BUDGET) -> None:
        self._budget = budget
        self._idle: queue.LifoQueue[_Process] = queue.LifoQueue()

    def run(self, work: Callable[..., T], *args: Any) -> T:
        """The result of ``work(*args)``. ``work`` is a function of a module; its arguments and its
        result can be pickled. Raises TakesTooLong, and RuntimeError for an exception of ``work``,
        which is a bug."""
        question = pickle.dumps((work, args, self._budget))
        process = self._ready()
        try:
            answer = process.ask(question, self._budget)
        except BaseException as error:
            process.end()
            if isinstance(error, (EOFError, BrokenPipeError)):  # it ended at one of its limits
                raise TakesTooLong from None
            raise
        self._idle.put(process)
        done, value = pickle.loads(answer)
        if done:
            return value  # type: ignore[no-any-return]
        if value == MemoryError.__name__:
            raise TakesTooLong
        raise RuntimeError(f"work on a text failed: {value}")

    def _ready(self) -> _Process:
        """An idle process, or a new one."""
        with suppress(queue.Empty):
            while True:
                process = self._idle.get_nowait()
                if process.alive:
                    return process
                process.end()
        return _Process()

    def end(self) -> None:
        """End all idle processes."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().end()


class _Process:
    """A process of ``_serve``, ready for work."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "messages.processes"],
            cwd=_ROOT,
            env={},  # without the installation's keys
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C does not reach it; it ends when its pipe is closed
        )
        assert self._process.stdin
        assert self._process.stdout
        self._to, self._from = self._process.stdin, self._process.stdout
        try:
            self._read(time.monotonic() + _START)
        except BaseException:
            self.end()
            raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, question: bytes, budget: float) -> bytes:
        """Raises TakesTooLong, EOFError or BrokenPipeError."""
        deadline = time.monotonic() + budget
        _write(self._to, question)
        return self._read(deadline)

    def end(self) -> None:
        self._process.kill()
        for pipe in (self._to, self._from):
            with suppress(OSError):
                pipe.close()
        self._process.wait()

    def _read(self, deadline: float) -> bytes:
        length = _LENGTH.unpack(self._exactly(_LENGTH.size, deadline))[0]
        return self._exactly(length, deadline)

    def _exactly(self, size: int, deadline: float) -> bytes:
        got = bytearray()
        waiting = select.poll()  # select() takes only descriptors below 1024
        waiting.register(self._from, select.POLLIN)
        while len(got) < size:
            left = max(0.0, deadline - time.monotonic())
            if not waiting.poll(left * 1000):
                raise TakesTooLong
            part = os.read(self._from.fileno(), size - len(got))
            if not part:
                raise EOFError
            got += part
        return bytes(got)


def _write(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_LENGTH.pack(len(message)) + message)
    pipe.flush()


def _serve() -> None:
    """Read work, do it and answer, until the other side closes the pipe."""
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library's prints must not mix with the answers
    with suppress(ValueError, OSError):  # some systems have no such limit
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    # Imports what the work needs before its time starts.
    import messages.check
    import messages.preview  # noqa: F401

    _write(answers, b"")
    while head := questions.read(_LENGTH.size):
        question = questions.read(_LENGTH.unpack(head)[0])
        try:
            work, args, budget = pickle.loads(question)
            _limit_cpu(budget)
            answer = (True, work(*args))
        except Exception as error:  # noqa: BLE001 - its text may quote data: only its class leaves
            answer = (False, type(error).__name__)
        _write(answers, pickle.dumps(answer))


def _limit_cpu(budget: float) -> None:
    """The process ends after its budget of processor time even if its parent is gone."""
    used = time.process_time()
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = math.ceil(used + budget) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


#: The processes that serve this process.
LIMITED_PROCESSES = LimitedProcesses()
atexit.register(LIMITED_PROCESSES.end)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve()
