"""Letters through Lob's official client.

Lob posts from the United States only: the sender needs an address there, and letters to the rest of
the world leave from there. For a sender elsewhere write another provider for providers/port.py.

Without changes the client has no time-out, follows redirects with the API key, retries requests,
cannot upload a file with ``LettersApi.create``, and raises on a success that it cannot read. Here
its ``ApiClient`` has a transport of one attempt, which records how far the call came, and only the
status decides the result. The delivery id is the idempotency key: for 24 hours Lob makes one letter
of all requests with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from lob_python.api_client import ApiClient
from lob_python.configuration import Configuration

from dunning.plan import ActionType
from messages.message import BadMessage, Message
from providers.call import LIMIT, why, within
from providers.fingerprint import signer_of
from providers.lob.account import LobAccount
from providers.lob.answers import error_of, refusal
from providers.lob.request import cannot_carry, fields
from providers.lob.resource import DELIVERY_ID, delivery_id_of, json_object, text_of
from providers.lob.transport import LobCall, Transport, Upload
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

TIMEOUT = timedelta(seconds=10)


class Lob:
    """One account. ``timeout`` bounds each wait for the network, ``limit`` the whole call;
    ``clock`` gives Unix seconds, to read when the rate limit resets."""

    name = "lob"
    type = ActionType.LETTER
    idempotent = True

    def __init__(
        self,
        account: LobAccount,
        *,
        timeout: timedelta = TIMEOUT,
        limit: timedelta = LIMIT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self.account = account.mark
        self.signers = tuple(signer_of(self.name, key) for key in account.webhook_secrets)
        self._timeout = timeout.total_seconds()
        self._limit = limit
        self._clock = clock

    def send(self, message: Message) -> Result:
        """One attempt. A letter that Lob cannot carry (a character, its length, its recipients) is
        Rejected without a call. Never raises."""
        wrong = not_its_type(self, message) or cannot_carry(message)
        if wrong:
            return wrong
        try:
            from messages.letter.paper import Paper
            from messages.letter.pdf import pdf  # loads fonts and images: only when needed

            letter = pdf(message, Paper.US_LETTER)
        except BadMessage as error:
            return Rejected(str(error), "message", asked=False)
        call = self._call(
            "POST",
            headers={"Content-Type": "multipart/form-data", "Idempotency-Key": message.delivery_id},
            post_params=list(fields(message, self._account).items()),
            files={"file": [Upload(letter)]},
        )
        if call.status is None:
            return NotSent(call.problem) if not call.connected else Ambiguous(call.problem)
        if 200 <= call.status < 300:
            letter_id = text_of(json_object(call.body), "id")
            if letter_id:
                return Accepted(letter_id)
            return Ambiguous(f"Lob answered {call.status} without the id of a letter")
        return refusal(call, self._clock())

    def look_up(self, message: Message, since: datetime) -> LookUp:
        """Searches by our id in Lob's metadata. It is exact, so ``since`` is not used, and a wrong
        clock cannot hide a letter. Finds a cancelled letter too. Never raises."""
        query = [(f"metadata[{DELIVERY_ID}]", message.delivery_id), ("limit", 10)]
        call = self._call("GET", query_params=query)
        if call.status != 200:
            return CannotTell(call.problem or f"Lob answered {call.status}: {error_of(call)[0]}")
        letters = json_object(call.body).get("data")
        if not isinstance(letters, list):
            return CannotTell("Lob's list of letters cannot be read")
        for letter in letters:
            if delivery_id_of(letter) == message.delivery_id:
                return Found(text_of(letter, "id"))
        return CannotTell("Lob listed other letters than was asked") if letters else NotFound()

    def _call(self, method: str, headers: dict[str, str] | None = None, **request: Any) -> LobCall:
        """One request to ``/letters``. Never raises: the call's ``problem`` says what failed."""
        call = LobCall()
        transport = Transport(call)
        client = ApiClient(Configuration(host=self._account.host, username=self._account.api_key))
        client.rest_client.pool_manager = transport
        try:
            ask = partial(
                client.call_api,
                "/letters",
                method,
                header_params={"Accept": "application/json"} | (headers or {}),
                auth_settings=["basicAuth"],
                _preload_content=False,
                _request_timeout=(self._timeout, self._timeout),
                **{"query_params": []} | request,
            )
            within(self._limit, call, ask)
        except Exception as error:  # noqa: BLE001 - how far the call came decides the result
            if call.status is None:
                how = "the answer of Lob was lost" if call.connected else "Lob was not reached"
                call.problem = f"{how}: {why(error)}"
        finally:
            transport.clear()
        return call
