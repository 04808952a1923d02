"""SMS through Twilio's official client.

Each call has its own client and one attempt (``client``). Twilio has no idempotency key for
messages: a lost answer is ``Ambiguous``, which a look-up or the message's own callback settles.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from dunning.plan import ActionType
from messages.lines import one_line
from messages.message import Message, Role
from providers.call import LIMIT, LOOK_UP_LIMIT, Call, why, within
from providers.fingerprint import signer_of
from providers.port import Accepted, Ambiguous, CannotTell, LookUp, Rejected, Result, not_its_type
from providers.twilio.account import TwilioAccount, is_web_address
from providers.twilio.answers import failure
from providers.twilio.client import client_for
from providers.twilio.codes import MAX_BODY, words
from providers.twilio.look_up import find

TIMEOUT = timedelta(seconds=10)
VALIDITY = timedelta(hours=4)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class Twilio:
    """One account. ``callback_base`` is our public address, where Twilio reports what became of a
    message; ``timeout`` bounds each wait for the network, ``limit`` the whole call. An SMS that
    Twilio could not send within ``validity`` (1 s to 10 h) is dropped, so that it does not arrive
    at night."""

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
        if not is_web_address(callback_base) or "_" in (urlsplit(callback_base).hostname or ""):
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
        self._client = partial(client_for, account, timeout)
        self._limit = limit
        self._validity = validity

    def send(self, message: Message) -> Result:
        """One attempt. Rejected without a call: a text of more than MAX_BODY characters, and
        anything but one recipient with a number in E.164. Never raises."""
        wrong = not_its_type(self, message) or _cannot_carry(message)
        if wrong is not None:
            return wrong
        call = Call()
        try:
            with self._client(call) as client:
                create = partial(client.messages.create, **self._fields(message))
                sid = within(self._limit, call, create).sid
        except Exception as error:  # noqa: BLE001 - how far the call came decides the result
            return failure(error, call)
        if not isinstance(sid, str) or not sid:
            return Ambiguous(f"Twilio answered {call.status} without the id of a message")
        return Accepted(one_line(sid, 200))

    def look_up(self, message: Message, since: datetime) -> LookUp:
        """Searches by number and text. Takes LOOK_UP_LIMIT at most; never raises."""
        call = Call()
        try:
            with self._client(call) as client:
                return within(LOOK_UP_LIMIT, call, partial(find, client, message, since))
        except Exception as error:  # noqa: BLE001 - a look-up changes nothing: any error is the same
            if call.status is None or call.status == 200:
                return CannotTell(f"Twilio gave no list of messages: {why(error)}")
            return CannotTell(f"Twilio gave no list of messages: it answered {call.status}")

    def _fields(self, message: Message) -> dict[str, Any]:
        """The arguments for the client's ``messages.create``."""
        sender = "messaging_service_sid" if self._account.by_service else "from_"
        return {
            "to": message.addressed(Role.TO)[0].address,
            "body": message.text,
            "status_callback": (
                f"{self._callback_base}/webhooks/twilio/status/{message.delivery_id}"
            ),
            "validity_period": int(self._validity.total_seconds()),
            "smart_encoded": False,  # the text leaves as it was shown and stored
            sender: self._account.sender,
        }


def _cannot_carry(message: Message) -> Rejected | None:
    numbers = [r.address for r in message.addressed(Role.TO)]
    if len(numbers) != 1 or len(message.recipients) != 1:
        return Rejected("an SMS goes to one number, and no copies", "recipients", asked=False)
    if not _E164.fullmatch(numbers[0]):
        reason = "the number is not in E.164, as +33612345678"
        return Rejected(reason, "21211", recipient_invalid=True, asked=False)
    if len(message.text) > MAX_BODY:
        return Rejected(words("21617"), "21617", asked=False)
    return None
