"""Connections of urllib3 that tell their call when they stand: before that nothing can be sent."""

from __future__ import annotations

from typing import Any, Protocol

from urllib3.connection import HTTPConnection, HTTPSConnection


class Progress(Protocol):
    """One call: whether its connection stood."""

    connected: bool


class Plain(HTTPConnection):
    def __init__(self, call: Progress, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._progress = call

    def connect(self) -> None:
        super().connect()
        self._progress.connected = True


class Secure(HTTPSConnection):
    def __init__(self, call: Progress, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._progress = call

    def connect(self) -> None:
        super().connect()  # the certificate is verified in here
        self._progress.connected = True
