"""A provider on 127.0.0.1 whose answers are scripted byte by byte. Requests to SendGrid are checked
by its OpenAPI document (``stand_ins.providers.specification``)."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from stand_ins.providers.specification import wrong

Script = Callable[[socket.socket, threading.Event], None]


@dataclass
class StandIn:
    """``requests``: the head of each request as text, and its body as JSON."""

    address: str
    requests: list[tuple[str, Any]] = field(default_factory=list)


def answer(status: str, *headers: str, body: str = "", length: int | None = None) -> Script:
    """A complete answer; with another ``length`` the header Content-Length is wrong."""
    size = len(body.encode()) if length is None else length
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers])

    def script(peer: socket.socket, closing: threading.Event) -> None:
        peer.sendall(f"{head}\r\nConnection: close\r\n\r\n{body}".encode())

    return script


def garbage(peer: socket.socket, closing: threading.Event) -> None:
    peer.sendall(b"\x00\x01 this is no HTTP\r\n\r\n")


def dribble(start: bytes) -> Script:
    """An answer that never ends; each byte comes before the read time-out."""

    def script(peer: socket.socket, closing: threading.Event) -> None:
        with contextlib.suppress(OSError):
            peer.sendall(start)
            while not closing.wait(0.02):
                peer.sendall(b"a")

    return script


def silence(peer: socket.socket, closing: threading.Event) -> None:
    closing.wait()


def hang_up(peer: socket.socket, closing: threading.Event) -> None:
    """Closes the connection without an answer."""


def reset(peer: socket.socket, closing: threading.Event) -> None:
    """Closes with RST."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextlib.contextmanager
def listening(take: Callable[[socket.socket], None], script: Script) -> Iterator[str]:
    """Run a server on 127.0.0.1 and give its address. ``take`` reads a request, ``script``
    answers."""
    closing = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not closing.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                take(peer)
                script(peer, closing)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        closing.set()
        with contextlib.suppress(OSError):  # wakes the accept
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@contextlib.contextmanager
def stand_in(script: Script) -> Iterator[StandIn]:
    provider = StandIn("")
    with listening(lambda peer: provider.requests.append(_read(peer)), script) as address:
        provider.address = address
        yield provider
    for head, body in provider.requests:
        if head.startswith("POST /v3/") and body is not None:
            name = "mail" if head.startswith("POST /v3/mail/send ") else "search"
            assert wrong("sendgrid", name, body) == [], "a request that SendGrid would refuse"


@contextlib.contextmanager
def refusing_port() -> Iterator[str]:
    """An address where connections are refused: its port is bound, and nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@contextlib.contextmanager
def full_backlog() -> Iterator[str]:
    """An address whose backlog of connections is full: connecting times out."""
    with contextlib.ExitStack() as guests:
        host = guests.enter_context(socket.socket())
        host.bind(("127.0.0.1", 0))
        host.listen(0)
        for _ in range(4):
            guest = guests.enter_context(socket.socket())
            guest.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                guest.connect(host.getsockname())
        yield f"http://127.0.0.1:{host.getsockname()[1]}"


def _read(peer: socket.socket) -> tuple[str, Any]:
    with peer.makefile("rb") as stream:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return head.decode("latin-1"), None
            head += line
        lengths = [
            int(line.split(b":")[1])
            for line in head.splitlines()
            if line.lower().startswith(b"content-length:")
        ]
        body = stream.read(lengths[0]) if lengths else b""
    return head.decode("latin-1"), json.loads(body) if body else None
