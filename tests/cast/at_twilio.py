"""A stand-in for Twilio that answers from a script, and a channel for it."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from messages.message import Message
from providers.port import (
    LookUp,
    Result,
)
from providers.twilio.account import TwilioAccount
from providers.twilio.send import Twilio
from stand_ins.providers.specification import wrong
from tests.cast import stand_in as play
from tests.cast.letters import sms

SID = "AC" + "0" * 32
TOKEN = "not-a-real-token"
SM = "SM" + "1" * 32
BASE = "https://dunning.example"
SHORT = timedelta(milliseconds=300)
NOON = datetime(2025, 3, 4, 12, 0, tzinfo=UTC)
OURS = sms().delivery_id


@contextlib.contextmanager
def provider(
    *scripts: play.Script, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Twilio on 127.0.0.1: gives its address, and the requests with their forms. Each request is
    answered with the next script; the last one is repeated."""
    closing = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    requests: list[tuple[str, dict[str, str]]] = []

    def serve() -> None:
        while not closing.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), _spoken(peer, tls) as peer:
                requests.append(_request(peer))
                scripts[min(len(requests), len(scripts)) - 1](peer, closing)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
    finally:
        closing.set()
        with contextlib.suppress(OSError):  # wakes the accept
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
    for head, form in requests:
        if head.startswith("POST /2010-04-01/"):
            assert wrong("twilio", "sms", form) == [], "a request that Twilio would refuse"


def _spoken(peer: socket.socket, tls: ssl.SSLContext | None) -> socket.socket:
    return tls.wrap_socket(peer, server_side=True) if tls else peer


def _request(peer: socket.socket) -> tuple[str, dict[str, str]]:
    with peer.makefile("rb") as stream:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                break
            head += line
        sizes = [
            int(line.split(b":")[1])
            for line in head.splitlines()
            if line.lower().startswith(b"content-length:")
        ]
        body = stream.read(sizes[0]) if sizes else b""
    return head.decode("latin-1"), dict(parse_qsl(body.decode(), keep_blank_values=True))


def account(host: str = "", /, **changes: Any) -> TwilioAccount:
    fields = {"account_sid": SID, "auth_token": TOKEN, "sender": "+33700000000", "host": host}
    return TwilioAccount(**(fields | changes))


def channel(host: str, /, **changes: Any) -> Twilio:
    return Twilio(account(host, **changes), BASE, timeout=SHORT, limit=2 * SHORT)


def made(**fields: Any) -> play.Script:
    return play.answer("201 Created", body=json.dumps({"sid": SM, "status": "queued"} | fields))


def refused(status: str, code: int, *headers: str, text: str = "No.") -> play.Script:
    body = json.dumps({"code": code, "message": text, "status": int(status[:3]), "more_info": "x"})
    return play.answer(status, *headers, body=body)


def sent_to(
    script: play.Script, message: Message | None = None, **changes: Any
) -> tuple[Result, list[tuple[str, dict[str, str]]]]:
    with provider(script) as (address, requests):
        return channel(address, **changes).send(message or sms()), requests


def record(sid: str, at: datetime, **fields: Any) -> dict[str, Any]:
    """A message of the list that is still queued, so it has no date of sending."""
    date = at.strftime("%a, %d %b %Y %H:%M:%S +0000")
    known = {"sid": sid, "body": sms().text, "status": "queued", "date_sent": None}
    return known | {"date_created": date} | fields


def listed(*records: dict[str, Any], more: bool = False) -> play.Script:
    page = {"messages": list(records), "page": 0, "next_page_uri": "/next.json" if more else None}
    return play.answer("200 OK", body=json.dumps(page))


def looked_up(*scripts: play.Script, text: str = "") -> tuple[LookUp, list[str]]:
    with provider(*scripts) as (address, requests):
        result = channel(address).look_up(sms(text=text) if text else sms(), NOON)
        return result, [head for head, _ in requests]
