"""Twilio's official client, made for one call.

Without changes the client has no time-out, logs recipients' numbers and takes its region from the
environment. Here: one attempt, a time-out, no redirects, and the call is told how far it came.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from requests.adapters import HTTPAdapter
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from providers.call import Call
from providers.connections import Plain, Secure
from providers.twilio.account import HOST, TwilioAccount


@contextmanager
def client_for(account: TwilioAccount, timeout: timedelta, call: Call) -> Iterator[Client]:
    """A client whose connections report to ``call``. ``timeout`` bounds each wait for the
    network."""
    for name in ("twilio.http_client", "urllib3.connectionpool"):
        logging.getLogger(name).setLevel(logging.WARNING)  # at lower levels they log numbers
    http = TwilioHttpClient(
        timeout=timeout.total_seconds(),
        request_hooks={"response": [partial(_answered, call)]},
    )
    for scheme in ("https://", "http://"):
        http.session.mount(scheme, _Reporting(call))
    client = Client(
        account.api_key_sid or account.account_sid,
        account.api_key_secret or account.auth_token,
        account.account_sid,
        http_client=http,
        environment={"TWILIO_EDGE": ""},  # empty: the client reads the process's environment
    )
    client.api.base_url = account.host or HOST
    try:
        yield client
    finally:
        http.session.close()


def _answered(call: Call, response: Any, **_: Any) -> None:
    call.status, call.headers = response.status_code, response.headers


class _Reporting(HTTPAdapter):
    """Its connections tell the call when they are open."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call = call

    def get_connection_with_tls_context(self, *args: Any, **settings: Any) -> HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **settings)
        kind = Secure if isinstance(pool, HTTPSConnectionPool) else Plain
        pool.ConnectionCls = partial(kind, self._call)  # type: ignore[assignment]
        return pool
