"""Twilio: Messages and the status callbacks that it signs (delivery facts, 2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from stand_ins.providers import specification
from stand_ins.providers.ledger import Entry, Ledger
from stand_ins.providers.reports import Sender
from stand_ins.providers.server import Answer, Request, in_json

_DELIVERY = re.compile(r"/webhooks/twilio/status/([^/]+)")
_ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_UNREACHABLE = "30003"
_WORDS = {
    20001: "Unknown parameters",
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20422: "Invalid Parameter",
    20429: "Too Many Requests",
    20500: "Internal Server Error",
    21212: "The 'From' number is not a valid phone number, shortcode, or alphanumeric sender ID",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21604: "A 'To' phone number is required.",
    21609: "The 'StatusCallback' URL is not valid.",
    21610: "Attempt to send to unsubscribed recipient",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit.",
    21705: "The Messaging Service SID is invalid",
}
#: The code for a field that is not as the document says; any other field is 20422.
_CODES = {
    "To": 21211,
    "From": 21212,
    "Body": 21617,
    "StatusCallback": 21609,
    "MessagingServiceSid": 21705,
}


class Twilio:
    """``users``: user name and password pairs that may sign in. ``refused``: numbers that answer
    400 and with which code. ``clock`` answers UTC. Raises ValueError for an ``account`` that is no
    SID."""

    name = "twilio"

    def __init__(
        self,
        account: str,
        token: str,
        users: Mapping[str, str],
        refused: Mapping[str, int],
        ledger: Ledger,
        sender: Sender,
        clock: Callable[[], datetime],
    ) -> None:
        if not _ACCOUNT.fullmatch(account):
            raise ValueError(f"{account!r} is not the SID of an account")
        self._account = account
        self._token = token
        self._users = {account: token, **users}
        self._refused = refused
        self._ledger = ledger
        self._sender = sender
        self._clock = clock
        self._path = f"/2010-04-01/Accounts/{account}/Messages.json"

    def looks_up(self, request: Request) -> bool:
        return request.method == "GET"

    def failure(self, status: int, reset_at: int) -> Answer:
        if status != 429:
            return _error(status, 20500)
        wait = max(1, reset_at - int(time.time()))
        return _error(429, 20429, ("Retry-After", str(wait)), ("Twilio-Concurrent-Requests", "9"))

    def refusal(self) -> Answer:
        return _error(401, 20003, ("WWW-Authenticate", 'Basic realm="Twilio API"'))

    def answer(self, request: Request) -> Answer:
        if not self._may_enter(request.header("Authorization")):
            return self.refusal()
        if request.path != self._path:
            return _error(404, 20404)
        if request.method != "GET":
            return self._send(request)
        try:
            return self._list(request.query)
        except ValueError:
            return _error(400, 20001)

    def _may_enter(self, authorization: str) -> bool:
        allowed = (
            "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
            for user, password in self._users.items()
        )
        return authorization in allowed

    def _send(self, request: Request) -> Answer:
        kind = request.header("Content-Type").partition(";")[0]
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
        given = {name: value for name, value in pairs if value}  # an empty field is none
        form = given if kind == "application/x-www-form-urlencoded" else {}
        twice = len(dict(pairs)) < len(pairs)
        code = 20001 if request.query or twice else self._wrong(form)
        if code:
            return _error(400, code, to=form.get("To", ""))
        delivery = _DELIVERY.fullmatch(urlsplit(form.get("StatusCallback", "")).path)
        number = form["To"]
        entry = Entry(
            provider=self.name,
            delivery_id=delivery[1] if delivery else "",
            provider_id="SM" + secrets.token_hex(16),
            at=self._clock(),
            recipients=(number,),
            body=form,
            lost=(number,) if self._sender.chance(self._sender.habits.failing) else (),
        )
        self._ledger.add(entry)
        if form.get("StatusCallback"):
            url = form["StatusCallback"].partition("#")[0]  # the fragment says how to retry
            address = urlsplit(url)
            path = f"{address.path}?{address.query}" if address.query else address.path
            self._sender.report(path, self._events(entry), partial(self._seal, url))
        return in_json(201, self._resource(entry, "queued"))

    def _wrong(self, form: Mapping[str, str]) -> int:
        """The code of what is wrong with the message, 0 = nothing."""
        if not form.get("To"):
            return 21604
        if not form.get("From") and not form.get("MessagingServiceSid"):
            return 21603
        if not form.get("Body"):
            return 21602
        for wrong in specification.wrong("twilio", "sms", dict(form)):
            if wrong.rule == "additionalProperties":
                return 20001
            return _CODES.get(wrong.field, 20422)
        return self._refused.get(form["To"], 0)

    def _events(self, entry: Entry) -> list[dict[str, str]]:
        every = {
            "MessageSid": entry.provider_id,
            "SmsSid": entry.provider_id,
            "AccountSid": self._account,
            "ApiVersion": "2010-04-01",
            "From": entry.body.get("From", "+15005550006"),
            "To": entry.recipients[0],
        }
        if "MessagingServiceSid" in entry.body:
            every["MessagingServiceSid"] = entry.body["MessagingServiceSid"]
        end = "undelivered" if entry.lost else "delivered"
        last = {"MessageStatus": end, "SmsStatus": end}
        last["RawDlrDoneDate"] = entry.at.strftime("%y%m%d%H%M")
        if entry.lost:
            last["ErrorCode"] = _UNREACHABLE
        return [every | {"MessageStatus": "sent", "SmsStatus": "sent"}, every | last]

    def _seal(self, url: str, events: Sequence[Any]) -> tuple[bytes, Mapping[str, str]]:
        """Signs for the address that the message named, wherever the post really goes."""
        (form,) = events
        text = url + "".join(name + form[name] for name in sorted(form))
        digest = hmac.new(self._token.encode(), text.encode(), hashlib.sha1).digest()
        return urlencode(form).encode(), {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": base64.b64encode(digest).decode(),
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),
        }

    def _list(self, query: list[tuple[str, str]]) -> Answer:
        """Newest first; ``PageToken`` is PA and the id of the last message already seen."""
        asked = dict(query)
        for wrong in specification.wrong("twilio", "list", asked):
            raise ValueError(wrong.message)
        size = int(asked.get("PageSize", "50"))
        known = self._ledger.entries(self.name, asked.get("To", ""))
        found = [entry for entry in reversed(known) if _meets(entry, asked)]
        start = 0
        if "PageToken" in asked:
            start = [f"PA{e.provider_id}" for e in found].index(asked["PageToken"]) + 1
        shown, page = found[start : start + size], int(asked.get("Page", "0"))
        following = None
        if start + size < len(found):
            kept = {k: v for k, v in asked.items() if k not in {"Page", "PageToken"}}
            token = {"Page": page + 1, "PageToken": f"PA{shown[-1].provider_id}"}
            following = f"{self._path}?{urlencode(kept | token)}"
        value = {
            "messages": [
                self._resource(e, "undelivered" if e.lost else "delivered") for e in shown
            ],
            "page": page,
            "page_size": size,
            "start": start,
            "end": start + len(shown) - 1,
            "uri": f"{self._path}?{urlencode(asked)}",
            "first_page_uri": f"{self._path}?PageSize={size}&Page=0",
            "next_page_uri": following,
            "previous_page_uri": None,
        }
        return in_json(200, value)

    def _resource(self, entry: Entry, status: str) -> dict[str, Any]:
        at = format_datetime(entry.at)
        uri = self._path.replace(".json", f"/{entry.provider_id}.json")
        return {
            "account_sid": self._account,
            "api_version": "2010-04-01",
            "body": entry.body["Body"],
            "date_created": at,
            "date_sent": None if status == "queued" else at,
            "date_updated": at,
            "direction": "outbound-api",
            "error_code": int(_UNREACHABLE) if status == "undelivered" else None,
            "error_message": None,
            "from": entry.body.get("From"),
            "messaging_service_sid": entry.body.get("MessagingServiceSid"),
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": entry.provider_id,
            "status": status,
            "subresource_uris": {"media": uri.replace(".json", "/Media.json")},
            "to": entry.recipients[0],
            "uri": uri,
        }


def _meets(entry: Entry, asked: Mapping[str, str]) -> bool:
    """Beside the number. The three ``DateSent`` filters are inclusive; a day is a day of GMT."""
    if asked.get("From", entry.body.get("From")) != entry.body.get("From"):
        return False
    for name, sign in (("DateSent", "="), ("DateSent>", ">"), ("DateSent<", "<")):
        if name in asked:
            day = _DAY.fullmatch(asked[name])
            sent = entry.at.strftime("%Y-%m-%d" if day else "%Y-%m-%dT%H:%M:%SZ")
            fits = {"=": sent == asked[name], ">": sent >= asked[name], "<": sent <= asked[name]}
            if not fits[sign]:
                return False
    return True


def _error(status: int, code: int, *headers: tuple[str, str], to: str = "") -> Answer:
    message = _WORDS.get(code) or f"Invalid 'To' Phone Number: {to}"
    value = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    return in_json(status, value, *headers)
