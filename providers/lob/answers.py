"""What Lob's answer to a send means for the message and the account."""

from __future__ import annotations

import re

from messages.lines import one_line
from providers.lob.resource import json_object, text_of
from providers.lob.transport import LobCall
from providers.port import Ambiguous, NotSent, Rejected, Result
from providers.waits import asked_wait

#: Codes for a wrong address of the recipient (Lob's error reference).
_TO_CODES = frozenset({"failed_deliverability_strictness", "address_length_exceeds_limit"})
#: The 4xx that are about one letter. Any other is about the account or the API's address.
_ABOUT_THE_LETTER = frozenset({400, 413, 422})
#: Codes of 422 that are about the account: its sender, or the API version.
_ACCOUNT_CODES = frozenset({"foreign_return_address", "unsupported_lob_version"})
_FROM_WORDS = re.compile(
    r"\bfrom(?:\.\w|\[\w)|\bthe \W?from\W? address\b|^\W?from\W? (?:is|must)\b", re.IGNORECASE
)
_TO_WORDS = re.compile(
    r"\bto(?:\.\w|\[\w)|\bthe \W?to\W? address\b|^\W?to\W? (?:is|must)\b", re.IGNORECASE
)


def refusal(call: LobCall, now: float) -> Result:
    """The result of any status but 2xx. ``now`` is in Unix seconds.

    408 and 5xx are Ambiguous: a gateway may give them after Lob accepted the letter. A conflict is
    Ambiguous too: an earlier request has this idempotency key, and its outcome is not known.
    """
    status = call.status or 0
    if status == 429:
        wait = asked_wait(call.headers, now, "ratelimit-reset")
        return NotSent("Lob's rate limit is reached", wait)
    words, code = error_of(call)
    reason = one_line(f"Lob answered {status}: {words}", 500)
    if status in (408, 409) or status >= 500 or status < 200 or code == "conflict":
        return Ambiguous(reason)
    if status < 400:
        return NotSent(
            f"Lob's address sends us elsewhere ({status}): is its host right?",
            holds_channel=True,
        )
    about_the_account = code in _ACCOUNT_CODES or bool(_FROM_WORDS.search(words))
    if status not in _ABOUT_THE_LETTER or about_the_account:
        return NotSent(reason, holds_channel=True)
    address_is_wrong = status == 422 and (code in _TO_CODES or bool(_TO_WORDS.search(words)))
    return Rejected(reason, code or str(status), address_is_wrong)


def error_of(call: LobCall) -> tuple[str, str]:
    """The text and the code of the error in an answer."""
    error = json_object(call.body).get("error")
    return text_of(error, "message", 400) or "no reason given", text_of(error, "code", 100).lower()
