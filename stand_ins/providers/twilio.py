"""The stand-in of Twilio: messages, their list, and signed status callbacks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from stand_ins.providers import specification
from stand_ins.providers.ledger import Entry, Ledger
from stand_ins.providers.reports import Sender
from stand_ins.providers.server import Answer, Request, in_json
from stand_ins.providers.sms_shown import UNREACHABLE, error, resource

_DELIVERY = re.compile(r"/webhooks/twilio/status/([^/]+)")
_ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
#: Twilio's own test numbers, with the code of each refusal: one has opted out, the other cannot
#: receive SMS.
REFUSED = {"+15005550004": 21610, "+15005550009": 21614}
#: The code for a field that violates the document; 20422 for any other field.
_CODES = {
    "To": 21211,
    "From": 21212,
    "Body": 21617,
    "StatusCallback": 21609,
    "MessagingServiceSid": 21705,
}


class Twilio:
    """``users``: user name and password pairs that may sign in. ``clock`` answers UTC. Raises
    ValueError for an ``account`` that is not a SID."""

    name = "twilio"

    def __init__(
        self,
        account: str,
        token: str,
        users: Mapping[str, str],
        ledger: Ledger,
        sender: Sender,
        clock: Callable[[], datetime],
    ) -> None:
        if not _ACCOUNT.fullmatch(account):
            raise ValueError(f"{account!r} is not the SID of an account")
        self._account = account
        self._token = token
        self._users = {account: token, **users}
        self._ledger = ledger
        self._sender = sender
        self._clock = clock
        self._path = f"/2010-04-01/Accounts/{account}/Messages.json"

    def looks_up(self, request: Request) -> bool:
        return request.method == "GET"

    def failure(self, status: int, reset_at: int) -> Answer:
        if status != 429:
            return error(status, 20500)
        wait = max(1, reset_at - int(time.time()))
        return error(429, 20429, ("Retry-After", str(wait)), ("Twilio-Concurrent-Requests", "9"))

    def refusal(self) -> Answer:
        return error(401, 20003, ("WWW-Authenticate", 'Basic realm="Twilio API"'))

    def answer(self, request: Request) -> Answer:
        if not self._may_enter(request.header("Authorization")):
            return self.refusal()
        if request.path != self._path:
            return error(404, 20404)
        if request.method != "GET":
            return self._send(request)
        try:
            return self._list(request.query)
        except ValueError:
            return error(400, 20001)

    def _may_enter(self, authorization: str) -> bool:
        allowed = (
            "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
            for user, password in self._users.items()
        )
        return authorization in allowed

    def _send(self, request: Request) -> Answer:
        kind = request.header("Content-Type").partition(";")[0]
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
        given = {name: value for name, value in pairs if value}  # an empty field counts as missing
        form = given if kind == "application/x-www-form-urlencoded" else {}
        twice = len(dict(pairs)) < len(pairs)
        code = 20001 if request.query or twice else self._wrong(form)
        if code:
            return error(400, code, to=form.get("To", ""))
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
        return in_json(201, resource(entry, self._account, self._path, "queued"))

    def _wrong(self, form: Mapping[str, str]) -> int:
        """The code of the first error in the message, 0 = none."""
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
        return REFUSED.get(form["To"], 0)

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
            last["ErrorCode"] = UNREACHABLE
        return [every | {"MessageStatus": "sent", "SmsStatus": "sent"}, every | last]

    def _seal(self, url: str, events: Sequence[Any]) -> tuple[bytes, Mapping[str, str]]:
        """Signs the address named in the message, although the post goes elsewhere."""
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
                resource(e, self._account, self._path, "undelivered" if e.lost else "delivered")
                for e in shown
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
