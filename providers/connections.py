"""Connections of urllib3 that tell their call when they are open. Before that nothing is sent."""

from __future__ import annotations

from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

from providers.call import Call


class Plain(HTTPConnection):
    def __init__(self, call: Call, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._call = call

    def connect(self) -> None:
        self._call.connect(self, super().connect)


class Secure(HTTPSConnection):
    def __init__(self, call: Call, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._call = call

    def connect(self) -> None:
        self._call.connect(self, super().connect)  # the certificate is verified in here
