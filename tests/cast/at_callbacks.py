"""A receiver for the stand-ins' callbacks, which answers from a script."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from stand_ins.providers import Habits, StandIns
from tests.cast.at_stand_ins import (
    send_letter,
    send_mail,
    send_sms,
)


class Receiver:
    """Records callbacks and answers with the given statuses, then with 200."""

    def __init__(self, statuses: Sequence[int] = ()) -> None:
        self.taken: list[tuple[str, dict[str, str], bytes, float]] = []
        self._left = list(statuses)
        self._lock = threading.Lock()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        with self._lock:
            self.taken.append((path, headers, body, time.monotonic()))
            return self._left.pop(0) if self._left else 200


@contextlib.contextmanager
def listening(ours: Receiver) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(ours.take(self.path, dict(self.headers), body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Print nothing on the console."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def callbacks_of(habits: Habits, ours: Receiver | None = None) -> tuple[StandIns, Receiver]:
    """Send one message by each provider and wait until every callback was accepted."""
    ours = ours or Receiver()
    with listening(ours) as address, StandIns(habits=habits, callbacks_to=address) as on:
        send_mail(on, "mail")
        send_sms(on, "sms")
        send_letter(on, "letter", extra_service="certified")
        assert on.wait_until_quiet(5)
    return on, ours


def mails(ours: Receiver) -> list[Any]:
    return [
        event
        for path, _, body, _ in ours.taken
        if path == "/webhooks/sendgrid"
        for event in json.loads(body)
    ]


def statuses(ours: Receiver) -> list[str]:
    return [
        dict(parse_qsl(body.decode()))["MessageStatus"]
        for path, _, body, _ in ours.taken
        if path == "/webhooks/twilio/status/sms"
    ]


def letters(ours: Receiver) -> list[str]:
    return [
        json.loads(body)["event_type"]["id"]
        for path, _, body, _ in ours.taken
        if path == "/webhooks/lob"
    ]
