"""Email through SendGrid's official client, tamed.

The client as it comes has no time-out, keeps headers of one call for the next, follows redirects
with the key in hand, and prints the key at DEBUG. Here: one client per call, one attempt, a
time-out, no redirects, its logger at WARNING. SendGrid has no idempotency: a lost answer is
``Ambiguous`` and is never sent again by this file.
"""

from __future__ import annotations

import base64
import http.client
import json
import logging
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from python_http_client.client import Client
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from channels.port import (
    Accepted,
    Ambiguous,
    Message,
    NotSent,
    Recipient,
    Rejected,
    Result,
    Role,
    one_line,
)
from dunning.plan import ActionType

HOST = "https://api.sendgrid.com"
EU_HOST = "https://api.eu.sendgrid.com"
TIMEOUT = timedelta(seconds=10)
_LEAST_WAIT = timedelta(seconds=1)
_MOST_WAIT = timedelta(hours=1)
_TO_ADDRESS = re.compile(r"personalizations\.\d+\.to\.\d+\.email")


class SendGrid:
    """One account. ``host`` is HOST, EU_HOST or a stand-in; ``timeout`` bounds each wait for the
    network; ``clock`` answers Unix seconds, to read the rate limit's reset time."""

    name = "sendgrid"
    type = ActionType.EMAIL
    idempotent = False

    def __init__(
        self,
        api_key: str,
        *,
        host: str = HOST,
        timeout: timedelta = TIMEOUT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises ValueError for a key that cannot be one: the client would send 'Bearer None'."""
        if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ValueError("the SendGrid API key is empty or has characters that no key has")
        if not host.startswith(("https://", "http://")):
            raise ValueError(f"the SendGrid host {host!r} is not a web address")
        self._api_key = api_key
        self._host = host.rstrip("/")
        self._timeout = timeout
        self._clock = clock
        self._tls = ssl.create_default_context()

    def send(self, message: Message) -> Result:
        body = request(message)
        call = _Call(self._tls)
        try:
            response = self._client(call).send(body)
        except HTTPError as error:
            return self._refusal(error.status_code, error.body, error.headers)
        except Exception as error:  # noqa: BLE001 - the class is decided by how far it came
            return self._failure(error, call)
        if response.status_code == 202:
            return Accepted(one_line(response.headers.get("X-Message-Id") or "", 200))
        return Ambiguous(f"SendGrid answered {response.status_code} instead of 202")

    def _client(self, call: _Call) -> SendGridAPIClient:
        for name in ("python_http_client", "python_http_client.client"):
            logging.getLogger(name).setLevel(logging.WARNING)  # at DEBUG it prints the key
        client = SendGridAPIClient(self._api_key, host=self._host)
        client.client = _OneAttempt(
            call=call,
            host=self._host,
            request_headers=client.client.request_headers,
            version=3,
            timeout=self._timeout.total_seconds(),
        )
        return client

    def _refusal(self, status: int, body: bytes, headers: Any) -> Result:
        """An answer that is no success. A gateway may answer 408 or 5xx after SendGrid accepted."""
        if status == 429:
            return NotSent("SendGrid's rate limit is reached", self._reset(headers))
        errors = _errors(body)
        reason = "; ".join(f"{text} ({part})" if part else text for text, part in errors)
        reason = one_line(f"SendGrid answered {status}: {reason or 'no reason given'}", 500)
        if status == 408 or status >= 500 or status < 300:
            return Ambiguous(reason)
        return Rejected(reason, str(status), any(_TO_ADDRESS.fullmatch(part) for _, part in errors))

    def _failure(self, error: Exception, call: _Call) -> Result:
        answer = error.__context__
        if isinstance(answer, urllib.error.HTTPError):  # its body was cut off; the status was not
            return self._refusal(answer.code, b"", answer.headers)
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        words = one_line(f"{type(cause).__name__} {cause}", 200)
        if not call.connected:
            return NotSent(f"SendGrid was not reached: {words}")
        return Ambiguous(f"the answer of SendGrid was lost: {words}")

    def _reset(self, headers: Any) -> timedelta | None:
        """How long the provider asks to wait: Unix seconds in one header, seconds in the other."""
        for name, start in (("X-RateLimit-Reset", self._clock()), ("Retry-After", 0.0)):
            value = str((headers or {}).get(name, "")).strip()
            if value.isascii() and value.isdigit() and len(value) < 12:
                wait = timedelta(seconds=int(value) - start)
                return min(max(wait, _LEAST_WAIT), _MOST_WAIT)
        return None


def request(message: Message) -> dict[str, Any]:
    """The body of POST /v3/mail/send."""
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
    if message.html is not None:
        body["content"].append({"type": "text/html", "value": message.html})
    if message.reply_to:
        body["reply_to"] = _person(message.reply_to, "")
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
            address = recipient.address.casefold()
            if recipient.role is role and address not in seen:
                seen.add(address)
                chosen[role].append(recipient)
    return chosen


def _person(address: str, name: str) -> dict[str, str]:
    return {"email": address, "name": name} if name else {"email": address}


def _errors(body: bytes) -> list[tuple[str, str]]:
    """The messages of an error answer with the fields they name; nothing for another form."""
    try:
        errors = json.loads(body)["errors"]
        return [(str(e.get("message") or ""), str(e.get("field") or "")) for e in errors[:5]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


class _Call:
    """How far one call came: before the connection stands, nothing can have been sent."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.tls = tls
        self.connected = False

    def opener(self) -> urllib.request.OpenerDirector:
        return urllib.request.build_opener(_Http(self), _Https(self), _NoRedirect())


class _OneAttempt(Client):  # type: ignore[misc]
    """The library's client with our transport; ``_make_request`` is the seam it leaves for that."""

    def __init__(self, *, call: _Call, **settings: Any) -> None:
        super().__init__(**settings)
        self._call = call

    def _build_client(self, name: str | None = None) -> Client:
        return _OneAttempt(
            call=self._call,
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            timeout=self.timeout,
        )

    def _make_request(self, opener: Any, request: Any, timeout: float | None = None) -> Any:
        return super()._make_request(self._call.opener(), request, timeout=timeout)


class _Plain(http.client.HTTPConnection):
    def __init__(self, call: _Call, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._progress = call

    def connect(self) -> None:
        super().connect()
        self._progress.connected = True


class _Secure(http.client.HTTPSConnection):
    def __init__(self, call: _Call, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._progress = call

    def connect(self) -> None:
        super().connect()  # the certificate is verified in here
        self._progress.connected = True


class _Http(urllib.request.HTTPHandler):
    def __init__(self, call: _Call) -> None:
        super().__init__()
        self._call = call

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(partial(_Plain, self._call), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, call: _Call) -> None:
        super().__init__(context=call.tls)
        self._call = call

    def https_open(self, req: urllib.request.Request) -> Any:
        make = partial(_Secure, self._call)
        return self.do_open(make, req, context=self._call.tls)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host; it comes back as the answer it is."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None
