"""The stand-in of SendGrid: mail/send, the Email Logs and the signed event webhook."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from stand_ins.providers import specification
from stand_ins.providers.ledger import Entry, Ledger
from stand_ins.providers.mail import Refused, checked, read
from stand_ins.providers.query import Condition, Malformed, conditions
from stand_ins.providers.reports import Sender
from stand_ins.providers.server import Answer, Request, in_json

CALLBACKS = "/webhooks/sendgrid"


class SendGrid:
    """``lag`` answers how many seconds the logs are behind; ``clock`` answers UTC."""

    name = "sendgrid"

    def __init__(
        self,
        api_key: str,
        ledger: Ledger,
        sender: Sender,
        clock: Callable[[], datetime],
        lag: Callable[[], float],
    ) -> None:
        self._api_key = api_key
        self._ledger = ledger
        self._sender = sender
        self._clock = clock
        self._lag = lag
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> str:
        """Base64 of the DER form, as SendGrid's settings page shows it."""
        public = self._key.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def looks_up(self, request: Request) -> bool:
        return request.path.startswith("/v3/logs")

    def failure(self, status: int, reset_at: int) -> Answer:
        if status != 429:
            return _error(status, "Internal Server Error")
        return _error(
            429,
            "too many requests",
            None,
            ("X-RateLimit-Limit", "600"),
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", str(reset_at)),
        )

    def refusal(self) -> Answer:
        return _error(401, "The provided authorization grant is invalid, expired, or revoked")

    def answer(self, request: Request) -> Answer:
        if request.header("Authorization") != f"Bearer {self._api_key}":
            return self.refusal()
        try:
            match request.method, request.path:
                case "POST", "/v3/mail/send":
                    return self._send(read(request))
                case "POST", "/v3/logs":
                    return self._search(read(request))
                case "GET", path if path.startswith("/v3/logs/"):
                    return self._detail(path.removeprefix("/v3/logs/"))
            return _error(404, "not found")
        except Refused as refused:
            return _error(400, str(refused), refused.field)
        except Malformed as wrong:
            return _error(400, f"invalid query: {wrong}", "query")

    def _send(self, mail: dict[str, Any]) -> Answer:
        addresses = checked(mail)
        arguments = mail["personalizations"][0].get("custom_args", {})
        entry = Entry(
            provider=self.name,
            delivery_id=arguments.get("dunning_delivery_id", ""),
            provider_id=secrets.token_urlsafe(16),
            at=self._clock(),
            recipients=addresses,
            body=mail,
            lost=tuple(a for a in addresses if self._sender.chance(self._sender.habits.failing)),
        )
        self._ledger.add(entry)
        events = [e for n in range(len(addresses)) for e in self._events(entry, n)]
        self._sender.report(CALLBACKS, events, self._seal, batch=self.name)
        return Answer(202, (("X-Message-Id", entry.provider_id),))

    def _events(self, entry: Entry, n: int) -> list[dict[str, Any]]:
        """A webhook event about the recipient; ``sg_event_id`` is added when it is posted."""
        address, at = entry.recipients[n], int(entry.at.timestamp())
        every = {
            **entry.body["personalizations"][0].get("custom_args", {}),
            "email": address,
            "smtp-id": _smtp_id(entry),
            "sg_message_id": _message_id(entry, n),
        }
        events = [every | {"event": "processed", "timestamp": at}]
        if address in entry.lost:
            return [*events, every | {"timestamp": at + 1} | _BOUNCE]
        events.append(every | {"timestamp": at + 1} | _DELIVERED)
        if self._sender.chance(self._sender.habits.opened):
            machine = self._sender.chance(0.5)
            events.append(every | {"timestamp": at + 2} | _OPEN | {"sg_machine_open": machine})
        return events

    def _seal(self, events: Sequence[Any]) -> tuple[bytes, Mapping[str, str]]:
        """A new ``sg_event_id`` for every post, because SendGrid's changes when it posts again.

        The body ends in the line break that SendGrid signs with it.
        """
        named = [event | {"sg_event_id": secrets.token_urlsafe(16)} for event in events]
        body = json.dumps(named, separators=(",", ":")).encode() + b"\r\n"
        stamp = str(int(self._clock().timestamp()))
        signature = self._key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return body, {
            "Content-Type": "application/json",
            "User-Agent": "SendGrid Event API",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
        }

    def _logged(self, entries: list[Entry]) -> Iterator[tuple[Entry, dict[str, Any]]]:
        """One line of the logs for each recipient, newest first."""
        now, lag = self._clock(), self._lag()
        for entry in reversed(entries):
            if (now - entry.at).total_seconds() < lag:
                continue
            for n, address in enumerate(entry.recipients):
                yield (
                    entry,
                    {
                        "from_email": entry.body["from"]["email"],
                        "sg_message_id": _message_id(entry, n),
                        "subject": entry.body["subject"],
                        "to_email": address,
                        "status": "bounced" if address in entry.lost else "delivered",
                        "sg_message_id_created_at": entry.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    },
                )

    def _search(self, asked: dict[str, Any]) -> Answer:
        for wrong in specification.wrong("sendgrid", "search", asked):
            raise Refused(wrong.message, wrong.field or None)
        wanted: list[Condition] = conditions(asked.get("query", ""))
        to = next((c.values[0] for c in wanted if c.field == "to_email"), "")
        lines = self._logged(self._ledger.entries(self.name, to))
        found = (line for _, line in lines if all(c.holds(line) for c in wanted))
        return in_json(200, {"messages": list(islice(found, asked.get("limit", 10)))})

    def _detail(self, message_id: str) -> Answer:
        received = message_id.partition(".")[0]
        entries = [e for e in self._ledger.entries(self.name) if e.provider_id == received]
        for entry, line in self._logged(entries):
            if line["sg_message_id"] == message_id:
                del line["sg_message_id_created_at"]
                return in_json(200, line | _details(entry, line))
        return _error(404, "message not found")


_BOUNCE = {
    "event": "bounce",
    "type": "bounce",
    "status": "5.1.1",
    "reason": "550 5.1.1 The email account that you tried to reach does not exist",
    "bounce_classification": "Invalid Address",
}
_DELIVERED = {"event": "delivered", "response": "250 2.0.0 OK", "ip": "127.0.0.1", "tls": 1}
_OPEN = {"event": "open", "ip": "127.0.0.1", "useragent": "Mozilla/5.0"}


def _smtp_id(entry: Entry) -> str:
    return f"<{entry.provider_id}@geopod-ismtpd-1>"


def _message_id(entry: Entry, n: int) -> str:
    return f"{entry.provider_id}.recvd-85abf8d92c-3qfgp-1-{int(entry.at.timestamp()):X}-{n}.0"


def _details(entry: Entry, line: Mapping[str, Any]) -> dict[str, Any]:
    """The details of one message in the logs, which lists leave out."""
    last = _BOUNCE if line["to_email"] in entry.lost else _DELIVERED
    at = int(entry.at.timestamp())
    every = {
        "email": line["to_email"],
        "sg_message_id": line["sg_message_id"],
        "smtp-id": _smtp_id(entry),
    }
    events = [{"event": "processed", "timestamp": at}, {"timestamp": at + 1} | last]
    return {
        "api_key_id": "stand-in",
        "client_ip": "127.0.0.1",
        "custom_args": entry.body["personalizations"][0].get("custom_args", {}),
        "events": [every | e | {"sg_event_id": secrets.token_urlsafe(16)} for e in events],
    }


def _error(
    status: int, message: str, field: str | None = None, *headers: tuple[str, str]
) -> Answer:
    error = {"message": message, "field": field}
    return in_json(status, {"errors": [error]}, *headers)
