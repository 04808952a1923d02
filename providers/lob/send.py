"""Letters through Lob's official client, tamed. What it calls back: ``lob_callbacks``.

Lob posts from the United States only: the sender needs an address there, and letters to the rest
of the world leave from there. For a sender elsewhere write another provider for providers/port.py.

The client as it comes has no time-out, follows redirects with the key in hand, repeats requests,
cannot upload a file with ``LettersApi.create``, and raises on a success that it cannot read. Here:
its ``ApiClient`` with a transport of one attempt that remembers how far it came; the answer is
judged by its status alone. The same ``delivery_id`` is one letter for 24 hours (idempotency key).
"""

from __future__ import annotations

import json
import re
import textwrap
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from lob_python.api_client import ApiClient
from lob_python.configuration import Configuration

from dunning.plan import ActionType
from dunning.postal import as_posted, why_not
from messages.message import BadMessage, Message, Postal, Recipient, Role, one_line
from providers.call import LIMIT, why, within
from providers.fingerprint import fingerprint, signer_of
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
from providers.waits import asked_wait

HOST = "https://api.lob.com/v1"
TIMEOUT = timedelta(seconds=10)
MAX_NAME = 40  # of a name on an envelope (Lob's specification)

_OURS = "dunning_delivery_id"  # in Lob's metadata
#: What an error says when the recipient's address is to blame (Lob's error reference).
_TO_CODES = frozenset({"failed_deliverability_strictness", "address_length_exceeds_limit"})
#: 4xx that are about one letter; any other is the account's trouble, or the API's address.
_ABOUT_THE_LETTER = frozenset({400, 413, 422})
#: 422, and yet about the account: its sender, or the version that is asked for.
_ACCOUNT_CODES = frozenset({"foreign_return_address", "unsupported_lob_version"})
_FROM_WORDS = re.compile(
    r"\bfrom(?:\.\w|\[\w)|\bthe \W?from\W? address\b|^\W?from\W? (?:is|must)\b", re.IGNORECASE
)
_TO_WORDS = re.compile(
    r"\bto(?:\.\w|\[\w)|\bthe \W?to\W? address\b|^\W?to\W? (?:is|must)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class LobAccount:
    """Raises ValueError for an account that cannot send. ``host`` is HOST or a stand-in."""

    api_key: str = field(repr=False)
    sender: Postal
    sender_name: str
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    host: str = HOST
    color: bool = False
    mail_type: str = "usps_first_class"

    def __post_init__(self) -> None:
        key = self.api_key
        if not key or not key.isascii() or not key.isprintable() or " " in key or ":" in key:
            raise ValueError("the Lob API key is empty or has characters that no key has")
        if self.sender.country.upper() != "US":
            raise ValueError("Lob posts letters from US addresses only: the sender is elsewhere")
        if reason := why_not(asdict(self.sender)):
            raise ValueError(f"the sender's address cannot be used: {reason}")
        if not 0 < len(self.sender_name.strip()) <= MAX_NAME:
            raise ValueError(f"the sender's name must have 1 to {MAX_NAME} characters")
        if "" in self.webhook_secrets:
            raise ValueError("a secret of Lob's webhooks is empty")
        if not self.host.startswith(("https://", "http://")):
            raise ValueError(f"the Lob host {self.host!r} is not a web address")
        if self.mail_type not in ("usps_first_class", "usps_standard"):
            raise ValueError(f"{self.mail_type!r} is no mail type of Lob")

    @property
    def mark(self) -> str:
        """Another one with each API key: Lob has no other id of an account that we are given."""
        return fingerprint("lob", self.host.rstrip("/"), self.api_key)


class Lob:
    """One account. ``timeout`` bounds each wait for the network, ``limit`` the whole of a call;
    ``clock`` answers Unix seconds, to read the rate limit's reset time."""

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
        """A letter that Lob cannot carry (a character, its length, its recipients) is Rejected."""
        wrong = not_its_type(self, message) or _cannot_carry(message)
        if wrong:
            return wrong
        try:
            from messages.letter import Paper, pdf  # loads fonts and images: not at every start

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
        return self._refusal(call)

    def look_up(self, message: Message, since: datetime) -> LookUp:
        """By our id in Lob's metadata, which is exact: ``since`` is not needed, and a clock that
        is wrong cannot hide a letter. A letter that was cancelled is found too."""
        query = [(f"metadata[{_OURS}]", message.delivery_id), ("limit", 10)]
        call = self._call("GET", query_params=query)
        if call.status != 200:
            return CannotTell(call.problem or f"Lob answered {call.status}: {_error(call)[0]}")
        letters = json_object(call.body).get("data")
        if not isinstance(letters, list):
            return CannotTell("Lob's list of letters cannot be read")
        for letter in letters:
            if delivery_id_of(letter) == message.delivery_id:
                return Found(text_of(letter, "id"))
        return CannotTell("Lob listed other letters than was asked") if letters else NotFound()

    def _call(self, method: str, headers: dict[str, str] | None = None, **request: Any) -> LobCall:
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
        except Exception as error:  # noqa: BLE001 - the class is decided by how far it came
            if call.status is None:
                how = "the answer of Lob was lost" if call.connected else "Lob was not reached"
                call.problem = f"{how}: {why(error)}"
        finally:
            transport.clear()
        return call

    def _refusal(self, call: LobCall) -> Result:
        """An answer that is no success. A gateway may answer 408 or 5xx after Lob accepted; a
        conflict is an earlier request with this key, of which nobody knows how it ended."""
        status = call.status or 0
        if status == 429:
            return NotSent(
                "Lob's rate limit is reached",
                asked_wait(call.headers, self._clock(), "ratelimit-reset"),
            )
        words, code = _error(call)
        reason = one_line(f"Lob answered {status}: {words}", 500)
        if status in (408, 409) or status >= 500 or status < 200 or code == "conflict":
            return Ambiguous(reason)
        if status < 400:
            return NotSent(
                f"Lob's address sends us elsewhere ({status}): is its host right?",
                holds_channel=True,
            )
        ours = code in _ACCOUNT_CODES or bool(_FROM_WORDS.search(words))
        if status not in _ABOUT_THE_LETTER or ours:
            return NotSent(reason, holds_channel=True)
        to_blame = status == 422 and (code in _TO_CODES or bool(_TO_WORDS.search(words)))
        return Rejected(reason, code or str(status), to_blame)


def fields(message: Message, account: LobAccount) -> dict[str, str]:
    """The form of POST /letters without its file, for a message with one recipient."""
    to = message.recipients[0]
    assert to.postal
    names = textwrap.wrap(to.name, MAX_NAME)
    form = {
        **_address("to", names[0], to.postal),
        **_address("from", account.sender_name.strip(), account.sender),
        "color": str(account.color).lower(),
        "use_type": "operational",
        "mail_type": account.mail_type,
        "address_placement": "top_first_page",
        "double_sided": "true",
        f"metadata[{_OURS}]": message.delivery_id,
        "metadata[dunning_organisation_id]": message.organisation_id,
    }
    if len(names) > 1:  # the second line of the window
        form["to[company]"] = names[1]
    if message.registered:
        home = form["to[address_country]"] == "US"
        form["extra_service"] = "certified" if home else "registered"
        form["mail_type"] = "usps_first_class"  # the only one that can be certified
    return form


def _address(part: str, name: str, postal: Postal) -> dict[str, str]:
    posted = as_posted(asdict(postal))
    lines = {
        "name": name,
        "address_line1": posted["line1"],
        "address_line2": posted["line2"],
        "address_city": posted["city"],
        "address_state": posted["region"],
        "address_zip": posted["postal_code"],
        "address_country": posted["country"],
    }
    return {f"{part}[{key}]": value for key, value in lines.items() if value}


def _cannot_carry(message: Message) -> Rejected | None:
    if len(message.recipients) != 1 or message.recipients[0].role is not Role.TO:
        many = f"a letter has one recipient; this one has {len(message.recipients)}"
        return Rejected(f"{many} (a copy is a letter of its own)", "recipients", asked=False)
    if message.attachments:
        return Rejected("a letter through Lob carries no attachments", "attachments", asked=False)
    missing = _missing(message.recipients[0])
    if missing:
        reason = f"the recipient's postal address cannot be used: {missing}"
        return Rejected(reason, "address", recipient_invalid=True, asked=False)
    return None


def _missing(to: Recipient) -> str:
    if to.postal is None:
        return "it is not known in its parts"
    if reason := why_not(asdict(to.postal)):
        return reason
    if not to.name.strip():
        return "it has no name"
    lines = len(textwrap.wrap(to.name, MAX_NAME))
    return f"its name takes {lines} lines of {MAX_NAME} characters" if lines > 2 else ""


def json_object(body: bytes) -> dict[str, Any]:
    """The object in the body; empty for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def text_of(found: Any, key: str, limit: int = 200) -> str:
    value = found.get(key) if isinstance(found, dict) else None
    return one_line(value, limit) if isinstance(value, str) else ""


def _error(call: LobCall) -> tuple[str, str]:
    error = json_object(call.body).get("error")
    return text_of(error, "message", 400) or "no reason given", text_of(error, "code", 100).lower()


def delivery_id_of(letter: Any) -> str:
    return text_of(letter.get("metadata") if isinstance(letter, dict) else None, _OURS)
