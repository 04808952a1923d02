"""HTTP on a raw socket, so that an answer can be late, truncated, garbled or missing."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import math
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from email.utils import formatdate
from typing import Any, BinaryIO, Protocol
from urllib.parse import parse_qsl, urlsplit

from stand_ins.providers.faults import BEFORE, Fault, Faults

MAX_BODY = 64 * 1024 * 1024
_GARBAGE = b"\x16\x03\x00 this is no HTTP\x00\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """``query`` keeps the order and repeated names; names of ``headers`` match in any case."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Message
    body: bytes

    def header(self, name: str) -> str:
        return str(self.headers.get(name) or "")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def head(self) -> bytes:
        """The status line and the headers, the provider's own ones last."""
        lines = [
            f"HTTP/1.1 {self.status} {http.client.responses.get(self.status, 'Unknown')}",
            "Server: nginx",
            f"Date: {formatdate(usegmt=True)}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def in_json(status: int, value: Any, *headers: tuple[str, str]) -> Answer:
    kind = ("Content-Type", "application/json")
    return Answer(status, (kind, *headers), json.dumps(value).encode())


class Provider(Protocol):
    @property
    def name(self) -> str: ...

    def looks_up(self, request: Request) -> bool:
        """Whether this request asks about messages instead of sending one."""

    def answer(self, request: Request) -> Answer:
        """The answer of a provider without faults."""

    def refusal(self) -> Answer:
        """Its 401, for any request of a refused account."""

    def failure(self, status: int, reset_at: int) -> Answer:
        """Its 429, 500 or 503; ``reset_at``: Unix seconds at which a rate limit ends."""


class Server:
    """One provider on a port of its own. Each request calls ``faults``, and ``refused``, which says
    whether the account is refused: then nothing is accepted, and no fault occurs."""

    def __init__(
        self,
        provider: Provider,
        faults: Callable[[], Faults],
        refused: Callable[[], bool],
        seed: int,
    ) -> None:
        self._provider = provider
        self._faults = faults
        self._refused = refused
        self._chance = random.Random(f"{seed} {provider.name}")
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._peers: set[socket.socket] = set()
        self._played: Counter[Fault] = Counter()
        self._refusals = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Closes every connection, also in the middle of a fault."""
        self._closing.set()
        with contextlib.suppress(OSError):  # wakes the accept
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for peer in self._peers:
                with contextlib.suppress(OSError):
                    peer.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def played(self) -> Counter[Fault]:
        """How often each fault occurred, with those of look-ups."""
        with self._lock:
            return self._played.copy()

    def refusals(self) -> int:
        """How often the account was refused."""
        with self._lock:
            return self._refusals

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with self._lock:
            self._peers.add(peer)
        try:
            with contextlib.suppress(OSError), peer, peer.makefile("rb") as stream:
                while not self._closing.is_set():
                    request = _read(stream)
                    if request is None or not self._respond(peer, request):
                        return
        finally:
            with self._lock:
                self._peers.discard(peer)

    def _respond(self, peer: socket.socket, request: Request) -> bool:
        """Whether the connection can be used again."""
        if self._refused():
            with self._lock:
                self._refusals += 1
            refusal = self._provider.refusal()
            peer.sendall(refusal.head() + refusal.body)
            return True
        faults = self._faults()
        fault = faults.pick(self._chance, look_up=self._provider.looks_up(request))
        with self._lock:
            self._played[fault] += 1
        if fault in BEFORE:
            return self._play(peer, fault, faults, Answer(200))
        answer = self._provider.answer(request)
        if fault is Fault.OK or answer.status >= 300:  # nothing follows a refusal
            peer.sendall(answer.head() + answer.body)
            return request.header("Connection").lower() != "close"
        return self._play(peer, fault, faults, answer)

    def _play(self, peer: socket.socket, fault: Fault, faults: Faults, answer: Answer) -> bool:
        match fault:
            case Fault.DROP_BEFORE | Fault.DROP_AFTER:
                if self._chance.random() < 0.5:  # closes with RST instead of FIN
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case Fault.HANG_BEFORE | Fault.HANG_AFTER:
                self._closing.wait(faults.hang)
            case Fault.GARBAGE_BEFORE | Fault.GARBAGE_AFTER:
                peer.sendall(_GARBAGE)
            case Fault.CUT_AFTER:
                whole = answer.head() + answer.body
                kept = len(whole) - len(answer.body) // 2 if answer.body else len(whole) // 2
                peer.sendall(whole[:kept])
            case _:
                status = self._chance.choice((500, 503)) if fault is Fault.ERROR_BEFORE else 500
                status = 429 if fault is Fault.LIMITED else status
                failure = self._provider.failure(status, math.ceil(time.time() + faults.wait))
                peer.sendall(failure.head() + failure.body)
                return True
        return False


def _read(stream: BinaryIO) -> Request | None:
    """The next request, or None when the client is gone or does not speak HTTP as we need it."""
    start = stream.readline(65536).decode("latin-1").split()
    if len(start) != 3:
        return None
    head = b""
    while not head.endswith(b"\r\n\r\n") and head != b"\r\n":
        line = stream.readline(65536)
        if not line or len(head) > 65536:
            return None
        head += line
    headers = http.client.parse_headers(io.BytesIO(head))
    length = str(headers.get("Content-Length") or "0")
    if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY:
        return None
    body = stream.read(int(length))
    if len(body) < int(length):
        return None
    url = urlsplit(start[1])
    query = parse_qsl(url.query, keep_blank_values=True)
    return Request(start[0], url.path, query, headers, body)
