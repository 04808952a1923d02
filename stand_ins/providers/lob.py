"""The stand-in of Lob: letters with an idempotency key, their list, and signed events."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from stand_ins.providers import specification
from stand_ins.providers.ledger import Entry, Ledger
from stand_ins.providers.letter import Refused, checked, fields, nested
from stand_ins.providers.letter_shown import events_of, resource
from stand_ins.providers.reports import Sender
from stand_ins.providers.server import Answer, Request, in_json

CALLBACKS = "/webhooks/lob"
KEY_HOLDS = timedelta(hours=24)


class Lob:
    """``clock`` answers UTC; an idempotency key is valid for 24 hours of it."""

    name = "lob"

    def __init__(
        self,
        api_key: str,
        secret: str,
        ledger: Ledger,
        sender: Sender,
        clock: Callable[[], datetime],
    ) -> None:
        self._entrance = "Basic " + base64.b64encode(f"{api_key}:".encode()).decode()
        self._secret = secret
        self._ledger = ledger
        self._sender = sender
        self._clock = clock
        self._lock = threading.Lock()
        self._by_key: dict[str, Entry] = {}

    def looks_up(self, request: Request) -> bool:
        return request.method == "GET"

    def failure(self, status: int, reset_at: int) -> Answer:
        if status != 429:
            return _error(status, "internal_server_error", "An error occurred on Lob's servers")
        return _error(
            429,
            "rate_limit_exceeded",
            "Rate limit exceeded. Please wait 5 seconds and try your request again.",
            ("ratelimit-limit", "150"),
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", str(reset_at)),
        )

    def refusal(self) -> Answer:
        return _error(401, "invalid_api_key", "Your API key is not valid.")

    def answer(self, request: Request) -> Answer:
        if request.header("Authorization") != self._entrance:
            return self.refusal()
        try:
            match request.method, request.path:
                case "POST", "/v1/letters":
                    return self._send(request)
                case "GET", "/v1/letters":
                    return self._list(request)
                case "GET", path if path.startswith("/v1/letters/"):
                    return self._detail(path.removeprefix("/v1/letters/"))
            return _error(404, "not_found", "The page you are looking for does not exist.")
        except Refused as refused:
            return _error(422, refused.code, str(refused))
        except ValueError as wrong:
            return _error(422, "invalid", str(wrong))

    def _send(self, request: Request) -> Answer:
        key = _key(request)
        letter = checked(fields(request))
        with self._lock:
            first = self._by_key.get(key) if key else None
            if first is not None and self._clock() - first.at < KEY_HOLDS:
                return in_json(200, resource(first))
            name = str(letter["to"].get("name") or letter["to"].get("company"))
            entry = Entry(
                provider=self.name,
                delivery_id=str(letter["metadata"].get("dunning_delivery_id", "")),
                provider_id="ltr_" + secrets.token_hex(8),
                at=self._clock(),
                recipients=(name,),
                body=letter,
                lost=(name,) if self._sender.chance(self._sender.habits.failing) else (),
            )
            if key:
                self._by_key[key] = entry
            self._ledger.add(entry)
        self._sender.report(CALLBACKS, events_of(entry), self._seal)
        return in_json(200, resource(entry))

    def _seal(self, events: Sequence[Any]) -> tuple[bytes, Mapping[str, str]]:
        """The timestamp is in seconds or in milliseconds, because Lob sends both."""
        body = json.dumps(events[0]).encode()
        unit = 1000 if self._sender.chance(0.5) else 1
        stamp = str(int(self._clock().timestamp() * unit))
        signed = hmac.new(self._secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
        return body, {
            "Content-Type": "application/json",
            "User-Agent": "Lob/1.0",
            "Lob-Signature": signed.hexdigest(),
            "Lob-Signature-Timestamp": stamp,
        }

    def _list(self, request: Request) -> Answer:
        """Newest first. ``metadata`` is read as ``metadata[name]=value`` and, as the official
        client writes it, as a JSON object; ``after`` is the id of the last letter seen."""
        asked = nested(request.query)
        if "limit" in asked:
            asked["limit"] = int(asked["limit"])
        if isinstance(asked.get("metadata"), str):
            asked["metadata"] = json.loads(asked["metadata"])
        for wrong in specification.wrong("lob", "letter_list_request", asked):
            raise Refused(f"{wrong.field} {wrong.message}".strip())
        limit, after = asked.get("limit", 10), asked.get("after", "")
        metadata, dates = asked.get("metadata", {}), asked.get("date_created", {})
        found = [
            entry
            for entry in reversed(self._ledger.entries(self.name))
            if metadata.items() <= entry.body["metadata"].items() and _within(entry.at, dates)
        ]
        start = [e.provider_id for e in found].index(after) + 1 if after else 0
        shown = found[start : start + limit]
        following = None
        if start + limit < len(found):
            rest = dict(request.query) | {"after": shown[-1].provider_id}
            following = f"http://{request.header('Host')}/v1/letters?{urlencode(rest)}"
        page = {
            "data": [resource(entry) for entry in shown],
            "object": "list",
            "next_url": following,
            "previous_url": None,
            "count": len(shown),
        }
        return in_json(200, page)

    def _detail(self, letter_id: str) -> Answer:
        for entry in self._ledger.entries(self.name):
            if entry.provider_id == letter_id:
                return in_json(200, resource(entry))
        return _error(404, "not_found", "letter not found")


def _key(request: Request) -> str:
    """The idempotency key, from the header or from the query. Raises Refused for both."""
    asked = dict(request.query)
    given = [request.header("Idempotency-Key"), asked.pop("idempotency_key", "")]
    keys = [key for key in given if key]
    if len(keys) > 1:
        raise Refused("give the idempotency key in the header or in the query, not in both")
    if asked:
        raise Refused(f"{next(iter(asked))} is not allowed")
    for key in keys:
        for wrong in specification.wrong("lob", "key", key):
            raise Refused(f"the idempotency key {wrong.message}")
    return keys[0] if keys else ""


def _within(at: datetime, dates: Mapping[str, str]) -> bool:
    """``dates``: an instant for each of gt, gte, lt and lte. Raises Refused, ValueError."""
    for sign, text in dates.items():
        limit = datetime.fromisoformat(text)
        limit = limit.replace(tzinfo=limit.tzinfo or UTC)
        fits = {"gt": at > limit, "gte": at >= limit, "lt": at < limit, "lte": at <= limit}
        if not fits[sign]:
            return False
    return True


def _error(status: int, code: str, message: str, *headers: tuple[str, str]) -> Answer:
    error = {"message": message, "status_code": status, "code": code}
    return in_json(status, {"error": error}, *headers)
