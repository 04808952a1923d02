"""The look-up at SendGrid: its Email Logs (POST /v3/logs, then GET /v3/logs/{id})."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from messages.email_address import for_the_wire
from messages.message import BadAddress, Message, Role
from providers.call import LOOK_UP_LIMIT, Call, TookTooLong, why, within
from providers.port import CannotTell, Found, LookUp, NotFound
from providers.sendgrid.answers import log_refusal
from providers.sendgrid.request import unique

#: The most entries of the Email Logs that one look-up opens.
CANDIDATES = 20
#: SendGrid's clock may be behind ours. Starting too early is safe, because the delivery id decides.
_CLOCKS_DIFFER = timedelta(minutes=5)
_LOG_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")
_UNSAFE_IN_QUERY = re.compile(r"[\"'`\\\s]")
_UNKNOWN_FORM = "SendGrid's Email Logs answered in an unknown form"


class _NoAnswer(Exception):
    """The look-up cannot tell; the text says why."""


class EmailLogs:
    """The logs of one account. ``client`` makes a client for one call, ``limit`` bounds each call.

    The logs lag behind the sending and hold 30 days at most.
    """

    def __init__(self, client: Callable[[Call], SendGridAPIClient], limit: timedelta) -> None:
        self._client = client
        self._limit = limit

    def find(self, message: Message, since: datetime) -> LookUp:
        """Whether the logs have the message, sent after ``since`` (UTC). Takes LOOK_UP_LIMIT at
        most; never raises."""
        try:
            address = for_the_wire(unique(message.recipients)[Role.TO][0].address)
        except BadAddress as error:
            return CannotTell(error.reason)
        if _UNSAFE_IN_QUERY.search(address):
            return CannotTell("SendGrid's Email Logs cannot be asked about an address with a quote")
        deadline = time.monotonic() + min(LOOK_UP_LIMIT, 3 * self._limit).total_seconds()
        try:
            # The logs are case-sensitive, and may have the address as written or in lower case.
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
        """None only if every message to this address was opened and none is this one. Raises
        _NoAnswer."""
        start = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = f'to_email = "{address}" AND sg_message_id_created_at > TIMESTAMP "{start}"'
        listed = self._ask(deadline, body={"query": query, "limit": CANDIDATES}).get("messages")
        if not isinstance(listed, list):
            raise _NoAnswer(_UNKNOWN_FORM)
        same_subject_without_id = False
        for entry in listed[:CANDIDATES]:
            log_id = _log_id(entry)
            ids = _delivery_ids(self._ask(deadline, log_id=log_id))
            if message.delivery_id in ids:
                return Found(log_id.split(".")[0])
            same_subject_without_id |= not ids and entry.get("subject") == message.subject
        if same_subject_without_id:
            raise _NoAnswer("SendGrid has such a message, but does not say which one it is")
        if len(listed) >= CANDIDATES:
            raise _NoAnswer(f"SendGrid has {CANDIDATES} or more messages to this address")
        return None

    def _ask(
        self, deadline: float, *, body: dict[str, Any] | None = None, log_id: str = ""
    ) -> dict[str, Any]:
        """One call: the entry with ``log_id``, or else the search in ``body``. Raises _NoAnswer."""
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
            raise _NoAnswer(log_refusal(error.status_code, error.body)) from None
        except Exception as error:  # noqa: BLE001 - a look-up changes nothing: any error is the same
            raise _NoAnswer(f"SendGrid's Email Logs did not answer: {why(error)}") from None
        if not isinstance(answer, dict):
            raise _NoAnswer(_UNKNOWN_FORM)
        return answer


def _log_id(entry: Any) -> str:
    log_id = entry.get("sg_message_id") if isinstance(entry, dict) else None
    if not isinstance(log_id, str) or not _LOG_ID.fullmatch(log_id):
        raise _NoAnswer(_UNKNOWN_FORM)
    return log_id


def _delivery_ids(entry: dict[str, Any]) -> set[str]:
    """Our delivery ids in an entry of the Email Logs: the message's and its events'."""
    events = entry.get("events")
    places = [entry, *(events if isinstance(events, list) else [])]
    every = [p.get("custom_args") for p in places if isinstance(p, dict)]
    return {
        str(args["dunning_delivery_id"])
        for args in every
        if isinstance(args, dict) and "dunning_delivery_id" in args
    }
