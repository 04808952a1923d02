"""Email through SendGrid's official client.

Without changes the client has no time-out, keeps headers of one call for the next, follows
redirects with the API key, and logs the key at DEBUG. Here each call has its own client, one
attempt, a time-out and no redirects, and the client's logger is at WARNING. SendGrid has no
idempotency key: a lost answer is ``Ambiguous`` and this file never sends the message again;
``look_up`` asks the Email Logs.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from dunning.plan import ActionType
from messages.lines import one_line
from messages.message import BadAddress, Message
from providers.call import LIMIT, Call, why, within
from providers.fingerprint import signer_of
from providers.port import Accepted, Ambiguous, LookUp, NotSent, Rejected, Result, not_its_type
from providers.sendgrid.account import SendGridAccount
from providers.sendgrid.answers import refusal
from providers.sendgrid.look_up import EmailLogs
from providers.sendgrid.one_attempt import OneAttempt
from providers.sendgrid.request import request

TIMEOUT = timedelta(seconds=10)


class SendGrid:
    """One account. ``timeout`` bounds each wait for the network, ``limit`` the whole call;
    ``clock`` gives Unix seconds, to read when the rate limit resets."""

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
        self._logs = EmailLogs(self._client, limit)

    def send(self, message: Message) -> Result:
        """One attempt. Never raises."""
        wrong = not_its_type(self, message)
        if wrong is not None:
            return wrong
        try:
            body = request(message, self._account.inbound_domain)
        except BadAddress as error:  # recipients were checked with the message
            return Rejected(error.reason, "address")
        call = Call()
        client = self._client(call)
        try:
            response = within(self._limit, call, lambda: client.send(body))
        except HTTPError as error:
            return refusal(error.status_code, error.body, error.headers, self._clock())
        except Exception as error:  # noqa: BLE001 - how far the call came decides the result
            return self._failure(error, call)
        if response.status_code == 202:
            return Accepted(one_line(response.headers.get("X-Message-Id") or "", 200))
        return Ambiguous(f"SendGrid answered {response.status_code} instead of 202")

    def look_up(self, message: Message, since: datetime) -> LookUp:
        """Searches the Email Logs. Takes LOOK_UP_LIMIT at most; never raises."""
        return self._logs.find(message, since)

    def _client(self, call: Call) -> SendGridAPIClient:
        for name in ("python_http_client", "python_http_client.client"):
            logging.getLogger(name).setLevel(logging.WARNING)  # at DEBUG it logs the key
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

    def _failure(self, error: Exception, call: Call) -> Result:
        """The result when the answer is missing or cut off. A status counts without its body."""
        if call.status is not None and call.status >= 300:
            return refusal(call.status, b"", call.headers, self._clock())
        if not call.connected:
            return NotSent(f"SendGrid was not reached: {why(error)}")
        return Ambiguous(f"the answer of SendGrid was lost: {why(error)}")
