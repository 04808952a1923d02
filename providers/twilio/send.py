"""SMS through Twilio's official client, tamed. What it calls back: ``twilio_callbacks``.

The client as it comes waits for ever, logs recipients' numbers and takes its region from the
environment. Here: one client per call, one attempt, a time-out, no redirects. Messages have no
idempotency: a lost answer is ``Ambiguous``, which a look-up or the message's own callback settles.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from dunning.plan import ActionType
from messages.message import Message, Role, one_line
from messages.sms import normalise
from providers.call import LIMIT, LOOK_UP_LIMIT, Call, why, within
from providers.connections import Plain, Secure
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
from providers.twilio.codes import (
    ABOUT_THE_MESSAGE,
    ACCOUNT,
    BUSY,
    MAX_BODY,
    OPTED_OUT,
    SENDER_WRONG,
    WORDS,
    WRONG_NUMBER,
    words,
)
from providers.waits import bounded

HOST = "https://api.twilio.com"
TIMEOUT = timedelta(seconds=10)
VALIDITY = timedelta(hours=4)
_PAGES, _PAGE_SIZE = 3, 100
_DAY = timedelta(days=1)
_SKEW = timedelta(minutes=1)  # between Twilio's clock and ours
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 +&_-]{1,11}")


@dataclass(frozen=True)
class TwilioAccount:
    """Raises ValueError for what cannot be an account. Its repr shows no secret.

    An API key, when there is one, signs in; else the auth token does. ``sender`` is a number in
    E.164, a short code, a name of up to 11 characters, or the MG… id of a messaging service.
    ``webhook_tokens`` are accepted on callbacks, two during a rotation; without them, the auth
    token. ``host`` is another address of the API.
    """

    account_sid: str
    auth_token: str = field(default="", repr=False)
    api_key_sid: str = ""
    api_key_secret: str = field(default="", repr=False)
    sender: str = ""
    webhook_tokens: tuple[str, ...] = field(default=(), repr=False)
    host: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"AC[0-9A-Za-z]{1,62}", self.account_sid):
            raise ValueError("the Twilio account SID begins with AC, then letters and digits")
        if bool(self.api_key_sid) != bool(self.api_key_secret):
            raise ValueError("a Twilio API key is two values: its SID and its secret")
        if not self.auth_token and not self.api_key_sid:
            raise ValueError("Twilio needs the auth token, or an API key with its secret")
        for secret in (self.auth_token, self.api_key_sid, self.api_key_secret):
            if secret and not re.fullmatch(r"[!-~]+", secret):
                raise ValueError("a Twilio token or key has characters that none has")
        if not _SERVICE.fullmatch(self.sender) and not _SENDER.fullmatch(self.sender):
            raise ValueError(
                "Twilio needs a sender: a number as +33…, a short code, a name of up to"
                " 11 letters and digits, or the MG… id of a messaging service"
            )
        if self.host and not _is_web_address(self.host):
            raise ValueError(f"the Twilio host {self.host!r} is not a web address")
        if not self.webhook_tokens and self.auth_token:
            object.__setattr__(self, "webhook_tokens", (self.auth_token,))

    @property
    def mark(self) -> str:
        """Stays the same when the auth token or the API key is replaced."""
        return fingerprint("twilio", self.host or HOST, self.account_sid)


class Twilio:
    """One account. ``callback_base`` is our public address, where Twilio reports what became of a
    message; ``timeout`` bounds each wait for the network, ``limit`` the whole of a call; an SMS
    that waits longer than ``validity`` (1 s to 10 h) does not leave, so that it cannot arrive at
    night.
    """

    name = "twilio"
    type = ActionType.SMS
    idempotent = False

    def __init__(
        self,
        account: TwilioAccount,
        callback_base: str,
        *,
        timeout: timedelta = TIMEOUT,
        limit: timedelta = LIMIT,
        validity: timedelta = VALIDITY,
    ) -> None:
        """Raises ValueError for an address that Twilio would refuse with every message."""
        if not _is_web_address(callback_base) or "_" in (urlsplit(callback_base).hostname or ""):
            raise ValueError(
                f"Twilio cannot call back at {callback_base!r}: it must be an http(s) address"
                " whose host has no underscore"
            )
        if not timedelta(seconds=1) <= validity <= timedelta(hours=10):
            raise ValueError("an SMS is valid for 1 second to 10 hours")
        self._account = account
        self.account = account.mark
        self.signers = tuple(signer_of(self.name, token) for token in account.webhook_tokens)
        self._callback_base = callback_base.rstrip("/")
        self._timeout = timeout
        self._limit = limit
        self._validity = validity

    def send(self, message: Message) -> Result:
        """A text of more than MAX_BODY characters, and anything but one TO with a number in E.164,
        is Rejected; nothing is sent then."""
        wrong = not_its_type(self, message)
        if wrong is not None:
            return wrong
        numbers = [r.address for r in message.addressed(Role.TO)]
        if len(numbers) != 1 or len(message.recipients) != 1:
            return Rejected("an SMS goes to one number, and no copies", "recipients", asked=False)
        if not _E164.fullmatch(numbers[0]):
            reason = "the number is not in E.164, as +33612345678"
            return Rejected(reason, "21211", recipient_invalid=True, asked=False)
        if len(message.text) > MAX_BODY:
            return Rejected(words("21617"), "21617", asked=False)
        sender = self._account.sender
        by_service = _SERVICE.fullmatch(sender) is not None
        call = Call()
        try:
            with self._client(call) as client:
                create = partial(
                    client.messages.create,
                    to=numbers[0],
                    body=message.text,
                    status_callback=(
                        f"{self._callback_base}/webhooks/twilio/status/{message.delivery_id}"
                    ),
                    validity_period=int(self._validity.total_seconds()),
                    smart_encoded=False,  # what leaves is what was shown and kept
                    **{"messaging_service_sid" if by_service else "from_": sender},
                )
                sid = within(self._limit, call, create).sid
        except Exception as error:  # noqa: BLE001 - the class is decided by how far it came
            return _failure(error, call)
        if not isinstance(sid, str) or not sid:
            return Ambiguous(f"Twilio answered {call.status} without the id of a message")
        return Accepted(one_line(sid, 200))

    def look_up(self, message: Message, since: datetime) -> LookUp:
        """The first message to the number with this text that was made after ``since``.

        The list is not filtered by date: Twilio filters by the date of sending, which a message in
        its queue does not have. Twilio lists the newest first; of more than 300 messages that are
        all newer than a day before ``since``, it cannot tell.
        """
        call = Call()
        try:
            with self._client(call) as client:
                search = partial(_search, client, message, since)
                found, all_seen = within(LOOK_UP_LIMIT, call, search)
        except Exception as error:  # noqa: BLE001 - whatever failed, nothing was learnt
            if call.status is None or call.status == 200:
                return CannotTell(f"Twilio gave no list of messages: {why(error)}")
            return CannotTell(f"Twilio gave no list of messages: it answered {call.status}")
        if found:
            return Found(min(found)[1])
        return NotFound() if all_seen else CannotTell("Twilio has too many messages to this number")

    @contextmanager
    def _client(self, call: Call) -> Iterator[Client]:
        for name in ("twilio.http_client", "urllib3.connectionpool"):
            logging.getLogger(name).setLevel(logging.WARNING)  # they print numbers of recipients
        http = TwilioHttpClient(
            timeout=self._timeout.total_seconds(),
            request_hooks={"response": [partial(_answered, call)]},
        )
        for scheme in ("https://", "http://"):
            http.session.mount(scheme, _Noting(call))
        own = self._account
        client = Client(
            own.api_key_sid or own.account_sid,
            own.api_key_secret or own.auth_token,
            own.account_sid,
            http_client=http,
            environment={"TWILIO_EDGE": ""},  # not empty, or it reads the process's
        )
        client.api.base_url = own.host or HOST
        try:
            yield client
        finally:
            http.session.close()


def _search(
    client: Client, message: Message, since: datetime
) -> tuple[list[tuple[datetime, str]], bool]:
    """The messages that may be this one, by when they were made, and whether it saw them all."""
    wanted = _same(message.text)
    found: list[tuple[datetime, str]] = []
    page = client.messages.page(to=message.addressed(Role.TO)[0].address, page_size=_PAGE_SIZE)
    for number in range(1, _PAGES + 1):
        made: datetime = since
        for record in page:
            made = record.date_created or record.date_sent
            if made >= since - _SKEW and _same(record.body or "") == wanted:
                found.append((made, str(record.sid)))
        if made < since - _DAY or not page.next_page_url:
            return found, True
        if number < _PAGES:
            page = page.next_page()
    return found, False


def _failure(error: Exception, call: Call) -> Result:
    if call.status is not None:
        return _refusal(error, call.status, call.headers)
    if not call.connected:
        return NotSent(f"Twilio was not reached: {why(error)}")
    return Ambiguous(f"the answer of Twilio was lost: {why(error)}")


def _refusal(error: Exception, status: int, headers: Mapping[str, str]) -> Result:
    """An answer that is no success. A gateway may answer 408 or 5xx after Twilio accepted."""
    code = str(getattr(error, "code", ""))
    code = code if re.fullmatch(r"[0-9]{5,6}", code) else ""  # else the client's: the status again
    if code in WORDS:
        reason = words(code)
    else:
        said = getattr(error, "msg", None) or getattr(error, "title", None) or ""
        said = re.sub(r"^Unable to create record(: )?", "", str(said)) or "no reason given"
        reason = one_line(f"Twilio answered {code or status}: {said}", 500)
    if status == 408 or status >= 500:
        return Ambiguous(reason)
    if status < 300:
        return Ambiguous(f"Twilio answered {status}, but not with a message")
    if status < 400:
        return NotSent(
            f"Twilio's address sends us elsewhere ({status}): is its host right?",
            holds_channel=True,
        )
    if status == 429 or code in BUSY:
        return NotSent(f"Twilio's rate limit is reached ({code or status})", _wait(headers))
    if code in SENDER_WRONG:
        return NotSent(f"Twilio refuses the sender: {reason}", holds_channel=True)
    about_this_one = status in ABOUT_THE_MESSAGE or code.startswith("21")
    if code in ACCOUNT or not about_this_one:
        return NotSent(f"Twilio refuses the account: {reason}", holds_channel=True)
    return Rejected(reason, code or str(status), code in WRONG_NUMBER, code == OPTED_OUT)


def _wait(headers: Mapping[str, str]) -> timedelta | None:
    value = headers.get("Retry-After", "").strip()
    if not re.fullmatch(r"[0-9]{1,9}", value):
        return None
    return bounded(timedelta(seconds=int(value)))


def _same(text: str) -> str:
    """Two texts are the same SMS when only look-alikes and the space at the end differ."""
    return normalise(text).rstrip()


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _answered(call: Call, response: Any, **_: Any) -> None:
    call.status, call.headers = response.status_code, response.headers


class _Noting(HTTPAdapter):
    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call = call

    def get_connection_with_tls_context(self, *args: Any, **settings: Any) -> HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **settings)
        kind = Secure if isinstance(pool, HTTPSConnectionPool) else Plain
        pool.ConnectionCls = partial(kind, self._call)  # type: ignore[assignment]
        return pool
