"""A stand-in for Lob that answers from a script, and letters to send to it."""

from __future__ import annotations

import contextlib
import email.parser
import email.policy
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from dunning.plan import ActionType
from messages.message import Message, Postal, Recipient, Role
from providers.lob.account import LobAccount
from providers.lob.send import Lob
from providers.port import (
    Result,
)
from tests.cast import letters
from tests.cast import stand_in as play

KEY = "test_not-a-real-key"
NOW = datetime(2025, 3, 4, 8, 30, tzinfo=UTC)
OURS = "3f0c7b0e-0000-4000-8000-000000000001"
AMBER = Postal("1 Amber Street", "San Francisco", "US", "Suite 2", "94107", "CA")
HERE = Postal("210 King St", "San Francisco", "US", "", "94107", "CA")
THERE = Postal("12 rue de l'Église", "Paris", "FR", "Bâtiment B", "75011")
ADA = Recipient(Role.TO, "210 King St\nSan Francisco CA 94107", "Ada Byron", "contact-ada", HERE)
OK = '{"id": "ltr_1", "carrier": "a new one", "url": "https://lob.example/ltr_1.pdf"}'


def account(host: str = "http://127.0.0.1:1", **changes: Any) -> LobAccount:
    return LobAccount(KEY, AMBER, "Amber & Sons", host=host, **changes)


def channel(host: str, **changes: Any) -> Lob:
    return Lob(
        account(host, **changes),
        timeout=timedelta(seconds=0.3),
        limit=timedelta(seconds=0.6),
        clock=NOW.timestamp,
    )


def letter(**changes: Any) -> Message:
    return letters.sms(**({"channel": ActionType.LETTER, "recipients": (ADA,)} | changes))


class LobRequests:
    """Lob on 127.0.0.1. It keeps each request: the head as text and the body as bytes."""

    def __init__(self) -> None:
        self.address = ""
        self.requests: list[tuple[str, bytes]] = []

    def form(self) -> dict[str, bytes]:
        head, body = self.requests[-1]
        _, _, headers = head.partition("\r\n")
        parser = email.parser.BytesParser(policy=email.policy.HTTP)
        found = parser.parsebytes(headers.encode() + body)
        return {
            str(part.get_param("name", header="content-disposition")): bytes(
                part.get_payload(decode=True)
            )
            for part in found.iter_parts()
        }


@contextlib.contextmanager
def lob_server(script: play.Script) -> Iterator[LobRequests]:
    found = LobRequests()

    def take(peer: socket.socket) -> None:
        with peer.makefile("rb") as stream:
            head = b""
            while not head.endswith(b"\r\n\r\n") and (line := stream.readline()):
                head += line
            lines = [line for line in head.lower().splitlines() if b"-length" in line]
            size = sum(int(line.split(b":")[1]) for line in lines)
            found.requests.append((head.decode("latin-1"), stream.read(size)))

    with play.listening(take, script) as address:
        found.address = f"{address}/v1"
        yield found


def sent_to(script: play.Script, message: Message | None = None) -> tuple[Result, LobRequests]:
    with lob_server(script) as provider:
        return channel(provider.address).send(message or letter()), provider


def error(words: str, code: str = "invalid") -> str:
    return json.dumps({"error": {"message": words, "status_code": 422, "code": code}})
