"""The API on a real server and socket, for behaviour that an in-process client cannot show."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp


@contextmanager
def listening(app: ASGIApp, **more: object) -> Iterator[int]:
    """Serve the app on loopback; gives its port."""
    config = uvicorn.Config(app, port=0, log_config=None, **{"access_log": False, **more})  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


class Line:
    """One TCP connection to the API."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 30)

    def send(self, method: str, path: str, *headers: str, body: bytes = b"") -> Line:
        """Send the head of a request, and the given part of its body."""
        lines = [f"{method} {path} HTTP/1.1", "Host: dunning", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode() + body)
        return self

    def answer(self) -> tuple[int, dict[str, str], str]:
        """Read status, headers and body, and close the connection."""
        with self.socket, self.socket.makefile("rb") as file:
            status = int(file.readline().split()[1])
            headers = {}
            while line := file.readline().strip():
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            return status, headers, file.read(int(headers.get("content-length", 0))).decode()
