"""Email through SendGrid's official client, tamed. What it calls back: ``sendgrid_callbacks``.

The client as it comes has no time-out, keeps headers of one call for the next, follows redirects
with the key in hand, and prints the key at DEBUG. Here: one client per call, one attempt, a
time-out, no redirects, its logger at WARNING. SendGrid has no idempotency: a lost answer is
``Ambiguous`` and is never sent again by this file; ``look_up`` asks the Email Logs for it.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from dunning.plan import ActionType
from messages.email_address import for_the_wire, in_ascii
from messages.message import BadAddress, Message, Recipient, Role, one_line
from providers.call import LIMIT, LOOK_UP_LIMIT, Call, TookTooLong, why, within
from providers.fingerprint import fingerprint, signer_of
from providers.port import (
    Accepted,
    Ambiguous,
    CannotTell,
    Found,
    LookUp,
    NotFound,
    NotSent,
    Rejected,
    Result,
    not_its_type,
)
from providers.sendgrid.callbacks import reply_address
from providers.sendgrid.one_attempt import OneAttempt
from providers.waits import asked_wait

HOST = "https://api.sendgrid.com"
EU_HOST = "https://api.eu.sendgrid.com"
TIMEOUT = timedelta(seconds=10)
_MAX_REASON = 500
#: An error that is about the recipient's address, and says that the address is to blame.
_TO_ADDRESS = re.compile(r"personalizations\.\d+\.to\.\d+\.email")
_NO_ADDRESS = re.compile(r"\bvalid (email )?address|\bvalid email\b", re.IGNORECASE)
#: Refusals that are about the one message; any other 4xx is the account's trouble, or the
#: address's of the API (SendGrid, "API responses": 403 is also a "temporary block").
_ABOUT_THE_MESSAGE = frozenset({400, 413, 422})
_DOMAIN = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")

#: So many entries of the Email Logs a look-up opens.
CANDIDATES = 20
#: SendGrid's clock may be behind ours; the delivery id decides, so an early start costs nothing.
_CLOCKS_DIFFER = timedelta(minutes=5)
_LOG_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")
_UNSAFE_IN_QUERY = re.compile(r"[\"'`\\\s]")


@dataclass(frozen=True, slots=True)
class SendGridAccount:
    """``host`` is HOST, EU_HOST or a stand-in.

    ``webhook_keys``: the base64 public keys of the signed event webhook and of the security policy
    of the inbound parse, old and new during a rotation. ``inbound_domain``: where replies go, as
    ``reply+<delivery id>@domain``; empty = to the member. Raises ValueError for a key that cannot
    be one (the client would send 'Bearer None'), a host or a domain that is none.
    """

    api_key: str = field(repr=False)
    host: str = HOST
    webhook_keys: tuple[str, ...] = ()
    inbound_domain: str = ""

    def __post_init__(self) -> None:
        key = self.api_key
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("the SendGrid API key is empty or has characters that no key has")
        if not self.host.startswith(("https://", "http://")):
            raise ValueError(f"the SendGrid host {self.host!r} is not a web address")
        if self.inbound_domain and not _DOMAIN.fullmatch(self.inbound_domain):
            raise ValueError(f"the inbound domain {self.inbound_domain!r} is not a domain")

    @property
    def mark(self) -> str:
        """Another one with each API key: SendGrid gives us no other id of an account."""
        return fingerprint("sendgrid", self.host.rstrip("/"), self.api_key)


class SendGrid:
    """One account. ``timeout`` bounds each wait for the network, ``limit`` the whole of a call;
    ``clock`` answers Unix seconds, to read the rate limit's reset time."""

    name = "sendgrid"
    type = ActionType.EMAIL
    idempotent = False

    def __init__(
        self,
        account: SendGridAccount,
        *,
        timeout: timedelta = TIMEOUT,
        limit: timedelta = LIMIT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self.account = account.mark
        self.signers = tuple(signer_of(self.name, key) for key in account.webhook_keys)
        self._host = account.host.rstrip("/")
        self._timeout = timeout
        self._limit = limit
        self._clock = clock
        self._tls = ssl.create_default_context()

    def send(self, message: Message) -> Result:
        wrong = not_its_type(self, message)
        if wrong is not None:
            return wrong
        try:
            body = request(message, self._account.inbound_domain)
        except BadAddress as error:  # whose it is, was looked at when the message was made
            return Rejected(error.reason, "address")
        call = Call()
        client = self._client(call)
        try:
            response = within(self._limit, call, lambda: client.send(body))
        except HTTPError as error:
            return self._refusal(error.status_code, error.body, error.headers)
        except Exception as error:  # noqa: BLE001 - the class is decided by how far it came
            return self._failure(error, call)
        if response.status_code == 202:
            return Accepted(one_line(response.headers.get("X-Message-Id") or "", 200))
        return Ambiguous(f"SendGrid answered {response.status_code} instead of 202")

    def look_up(self, message: Message, since: datetime) -> LookUp:
        """By the Email Logs (POST /v3/logs, then GET /v3/logs/{id}), which lag behind the sending
        and hold 30 days at most. Takes LOOK_UP_LIMIT at worst; never raises."""
        try:
            address = for_the_wire(unique(message.recipients)[Role.TO][0].address)
        except BadAddress as error:
            return CannotTell(error.reason)
        if _UNSAFE_IN_QUERY.search(address):
            return CannotTell("SendGrid's Email Logs cannot be asked about an address with a quote")
        deadline = time.monotonic() + min(LOOK_UP_LIMIT, 3 * self._limit).total_seconds()
        try:
            # The logs tell upper from lower case; what they hold may be the one or the other.
            for spelling in dict.fromkeys((address, address.lower())):
                found = self._search(spelling, message, since - _CLOCKS_DIFFER, deadline)
                if found is not None:
                    return found
        except _NoAnswer as error:
            return CannotTell(str(error))
        return NotFound()

    def _search(
        self, address: str, message: Message, since: datetime, deadline: float
    ) -> Found | None:
        """None only when every message to this address was opened and none is this one."""
        start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = f'to_email = "{address}" AND sg_message_id_created_at > TIMESTAMP "{start}"'
        listed = self._ask(deadline, body={"query": query, "limit": CANDIDATES}).get("messages")
        if not isinstance(listed, list):
            raise _NoAnswer("SendGrid's Email Logs answered in an unknown form")
        nameless = False
        for entry in listed[:CANDIDATES]:
            log_id = entry.get("sg_message_id") if isinstance(entry, dict) else None
            if not isinstance(log_id, str) or not _LOG_ID.fullmatch(log_id):
                raise _NoAnswer("SendGrid's Email Logs answered in an unknown form")
            ids = _logged_ids(self._ask(deadline, log_id=log_id))
            if message.delivery_id in ids:
                return Found(log_id.split(".")[0])
            nameless |= not ids and entry.get("subject") == message.subject
        if nameless:
            raise _NoAnswer("SendGrid has such a message, but does not say which one it is")
        if len(listed) >= CANDIDATES:
            raise _NoAnswer(f"SendGrid has {CANDIDATES} or more messages to this address")
        return None

    def _ask(
        self, deadline: float, *, body: dict[str, Any] | None = None, log_id: str = ""
    ) -> dict[str, Any]:
        left = min(self._limit, timedelta(seconds=deadline - time.monotonic()))
        if left <= timedelta(0):
            raise _NoAnswer("SendGrid's Email Logs took too long")
        call = Call()
        logs = self._client(call).client.logs
        ask = logs._(log_id).get if log_id else partial(logs.post, request_body=body)
        try:
            response = within(left, call, ask)
            answer = json.loads(response.body) if response.status_code == 200 else None
        except TookTooLong:
            raise _NoAnswer("SendGrid's Email Logs took too long") from None
        except HTTPError as error:
            raise _NoAnswer(_log_refusal(error.status_code, error.body)) from None
        except Exception as error:  # noqa: BLE001 - a look-up changes nothing: all are the same
            raise _NoAnswer(f"SendGrid's Email Logs did not answer: {why(error)}") from None
        if not isinstance(answer, dict):
            raise _NoAnswer("SendGrid's Email Logs answered in an unknown form")
        return answer

    def _client(self, call: Call) -> SendGridAPIClient:
        for name in ("python_http_client", "python_http_client.client"):
            logging.getLogger(name).setLevel(logging.WARNING)  # at DEBUG it prints the key
        client = SendGridAPIClient(self._account.api_key, host=self._host)
        client.client = OneAttempt(
            call=call,
            tls=self._tls,
            host=self._host,
            request_headers=client.client.request_headers,
            version=3,
            timeout=self._timeout.total_seconds(),
        )
        return client

    def _refusal(self, status: int, body: bytes, headers: Any) -> Result:
        """An answer that is no success. A gateway may answer 408 or 5xx after SendGrid accepted; a
        redirect, which is not followed, is an answer of something else at this address."""
        if status == 429:
            return NotSent(
                "SendGrid's rate limit is reached",
                asked_wait(headers, self._clock(), "X-RateLimit-Reset"),
            )
        errors = _errors(body)
        given = _given(errors)
        reason = one_line(f"SendGrid answered {status}: {given}", _MAX_REASON)
        if status == 408 or status >= 500 or status < 300:
            return Ambiguous(reason)
        if status < 400:
            return NotSent(
                f"SendGrid's address sends us elsewhere ({status}): is its host right?",
                holds_channel=True,
            )
        if status == 401:
            reason = one_line(f"SendGrid refuses the key: {given}", _MAX_REASON)
        if status == 403 and "verified sender identity" in given.lower():
            first = "the sender's domain must be authenticated at SendGrid first"
            return Rejected(one_line(f"{first}; {reason}", _MAX_REASON), str(status))
        if status not in _ABOUT_THE_MESSAGE:
            return NotSent(reason, holds_channel=True)
        to_blame = any(_TO_ADDRESS.fullmatch(p) and _NO_ADDRESS.search(said) for said, p in errors)
        return Rejected(reason, str(status), to_blame)

    def _failure(self, error: Exception, call: Call) -> Result:
        if call.status is not None and call.status >= 300:  # its body was cut off
            return self._refusal(call.status, b"", call.headers)
        if not call.connected:
            return NotSent(f"SendGrid was not reached: {why(error)}")
        return Ambiguous(f"the answer of SendGrid was lost: {why(error)}")


class _NoAnswer(Exception):
    """Why a look-up cannot tell."""


def request(message: Message, inbound_domain: str = "") -> dict[str, Any]:
    """The body of POST /v3/mail/send; with ``inbound_domain`` replies come to us. Raises
    BadAddress for an address that SendGrid cannot carry."""
    personalization: dict[str, Any] = {
        "custom_args": {"dunning_delivery_id": message.delivery_id},
    }
    for role, recipients in unique(message.recipients).items():
        if recipients:
            personalization[role.value] = [_person(r.address, r.name) for r in recipients]
    body: dict[str, Any] = {
        "personalizations": [personalization],
        "from": _person(message.sender_address, message.sender_name),
        "subject": message.subject,
        "content": [{"type": "text/plain", "value": message.text}],
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": message.open_tracking},
            "subscription_tracking": {"enable": False},
            "ganalytics": {"enable": False},
        },
    }
    if message.html and message.html.strip():  # an empty part is refused; the text is the email
        body["content"].append({"type": "text/html", "value": message.html})
    reply_to = message.reply_to
    if inbound_domain:
        reply_to = reply_address(message.delivery_id, inbound_domain)
    if reply_to:
        body["reply_to"] = _person(reply_to, "")
    if message.headers:
        body["headers"] = dict(message.headers)
    if message.attachments:
        body["attachments"] = [
            {
                "content": base64.b64encode(a.content).decode(),
                "filename": a.name,
                "type": a.content_type,
                "disposition": "attachment",
            }
            for a in message.attachments
        ]
    return body


def unique(recipients: tuple[Recipient, ...]) -> dict[Role, list[Recipient]]:
    """Each address once, in its most visible role: SendGrid refuses an address given twice."""
    chosen: dict[Role, list[Recipient]] = {role: [] for role in Role}
    seen: set[str] = set()
    for role in Role:
        for recipient in recipients:
            address = in_ascii(recipient.address).casefold()
            if recipient.role is role and address not in seen:
                seen.add(address)
                chosen[role].append(recipient)
    return chosen


def _person(address: str, name: str) -> dict[str, str]:
    email = for_the_wire(address)
    return {"email": email, "name": name} if name else {"email": email}


def _errors(body: bytes) -> list[tuple[str, str]]:
    """The messages of an error answer with the fields they name; nothing for another form."""
    try:
        errors = json.loads(body)["errors"]
        return [(str(e.get("message") or ""), str(e.get("field") or "")) for e in errors[:5]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _given(errors: list[tuple[str, str]]) -> str:
    said = "; ".join(f"{text} ({part})" if part else text for text, part in errors)
    return said or "no reason given"


def _log_refusal(status: int, body: bytes) -> str:
    if status == 401:
        return "SendGrid refuses the key"
    if status in (403, 404):
        return f"SendGrid answered {status}: this account may not read its Email Logs"
    if status == 429:
        return "SendGrid's rate limit is reached"
    return one_line(f"SendGrid's Email Logs answered {status}: {_given(_errors(body))}", 300)


def _logged_ids(entry: dict[str, Any]) -> set[str]:
    """Our delivery ids in an entry of the Email Logs: of the message and of its events."""
    events = entry.get("events")
    places = [entry, *(events if isinstance(events, list) else [])]
    every = [p.get("custom_args") for p in places if isinstance(p, dict)]
    return {
        str(args["dunning_delivery_id"])
        for args in every
        if isinstance(args, dict) and "dunning_delivery_id" in args
    }
