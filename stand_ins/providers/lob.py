"""Lob: letters with an idempotency key, their list, and the signed events (delivery facts, 3)."""

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
from stand_ins.providers.reports import Sender
from stand_ins.providers.server import Answer, Request, in_json

CALLBACKS = "/webhooks/lob"
KEY_HOLDS = timedelta(hours=24)
_COUNTRY = {"US": "UNITED STATES", "FR": "FRANCE"}  # it answers with names
_CERTIFIED = {"certified", "certified_return_receipt"}


class Lob:
    """``clock`` answers UTC; a key of an earlier letter counts for 24 hours of it."""

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
                return in_json(200, _resource(first))
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
        self._sender.report(CALLBACKS, _events(entry), self._seal)
        return in_json(200, _resource(entry))

    def _seal(self, events: Sequence[Any]) -> tuple[bytes, Mapping[str, str]]:
        """The timestamp is in seconds or in milliseconds: both are seen."""
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
            "data": [_resource(entry) for entry in shown],
            "object": "list",
            "next_url": following,
            "previous_url": None,
            "count": len(shown),
        }
        return in_json(200, page)

    def _detail(self, letter_id: str) -> Answer:
        for entry in self._ledger.entries(self.name):
            if entry.provider_id == letter_id:
                return in_json(200, _resource(entry))
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


def _events(entry: Entry) -> list[dict[str, Any]]:
    registered = entry.body.get("extra_service") in _CERTIFIED
    kind = "letter.certified" if registered else "letter"
    last = "returned_to_sender" if entry.lost else "delivered"
    names = ["letter.created", f"{kind}.mailed", f"{kind}.{last}"]
    return [
        {
            "id": "evt_" + secrets.token_hex(8),
            "body": _resource(entry),
            "reference_id": entry.provider_id,
            "event_type": {
                "id": name,
                "enabled_for_test": True,
                "resource": "letters",
                "object": "event_type",
            },
            "date_created": _instant(entry.at + timedelta(seconds=n)),
            "object": "event",
        }
        for n, name in enumerate(names)
    ]


def _resource(entry: Entry) -> dict[str, Any]:
    letter, at = entry.body, _instant(entry.at)
    tracked = letter.get("extra_service") in _CERTIFIED
    return {
        "id": entry.provider_id,
        "description": letter.get("description"),
        "metadata": letter["metadata"],
        "to": _address(letter["to"], at),
        "from": _address(letter["from"], at),
        "color": letter["color"],
        "double_sided": letter.get("double_sided", True),
        "address_placement": letter.get("address_placement", "top_first_page"),
        "return_envelope": False,
        "perforated_page": None,
        "custom_envelope": None,
        "extra_service": letter.get("extra_service"),
        "use_type": letter["use_type"],
        "mail_type": letter.get("mail_type", "usps_first_class"),
        "url": f"https://lob-assets.com/letters/{entry.provider_id}.pdf"
        f"?expires={int(entry.at.timestamp()) + 2_592_000}&signature=standin",
        "carrier": "USPS",
        "tracking_number": str(9207 * 10**22 + int(entry.provider_id[4:], 16)) if tracked else None,
        "tracking_events": [],
        "thumbnails": [],
        "merge_variables": None,
        "expected_delivery_date": (entry.at + timedelta(days=5)).date().isoformat(),
        "date_created": at,
        "date_modified": at,
        "send_date": at,
        "object": "letter",
    }


def _address(address: Mapping[str, Any], at: str) -> dict[str, Any]:
    """In capitals, as Lob gives it back."""
    country = address.get("address_country", "US")
    said = {name: str(v).upper() if v else None for name, v in address.items()}
    return {
        "id": "adr_" + hashlib.sha256(repr(sorted(said.items())).encode()).hexdigest()[:16],
        **said,
        "address_country": _COUNTRY.get(country, country),
        "metadata": {},
        "date_created": at,
        "date_modified": at,
        "object": "address",
    }


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _error(status: int, code: str, message: str, *headers: tuple[str, str]) -> Answer:
    error = {"message": message, "status_code": status, "code": code}
    return in_json(status, {"error": error}, *headers)
