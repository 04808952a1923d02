"""What SendGrid's answer to a send means for the message and the account."""

from __future__ import annotations

import json
import re
from typing import Any

from messages.lines import one_line
from providers.port import Ambiguous, NotSent, Rejected, Result
from providers.waits import asked_wait

_MAX_REASON = 500
#: The field of an error about the recipient's address, and words that say that it is wrong.
_TO_ADDRESS = re.compile(r"personalizations\.\d+\.to\.\d+\.email")
_NO_ADDRESS = re.compile(r"\bvalid (email )?address|\bvalid email\b", re.IGNORECASE)
#: The 4xx that refuse one message. Any other is about the account or the API's address (SendGrid,
#: "API responses": 403 is also a "temporary block").
_ABOUT_THE_MESSAGE = frozenset({400, 413, 422})


def refusal(status: int, body: bytes, headers: Any, now: float) -> Result:
    """The result of any status but 202. ``now`` is in Unix seconds.

    408 and 5xx are Ambiguous: a gateway may give them after SendGrid accepted the message. A
    redirect is not followed, because SendGrid gives none.
    """
    if status == 429:
        wait = asked_wait(headers, now, "X-RateLimit-Reset")
        return NotSent("SendGrid's rate limit is reached", wait)
    errors = _errors(body)
    given = _joined(errors)
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
    address_is_wrong = any(
        _TO_ADDRESS.fullmatch(field) and _NO_ADDRESS.search(text) for text, field in errors
    )
    return Rejected(reason, str(status), address_is_wrong)


def log_refusal(status: int, body: bytes) -> str:
    """Why the Email Logs gave no answer, in words for people."""
    if status == 401:
        return "SendGrid refuses the key"
    if status in (403, 404):
        return f"SendGrid answered {status}: this account may not read its Email Logs"
    if status == 429:
        return "SendGrid's rate limit is reached"
    return one_line(f"SendGrid's Email Logs answered {status}: {_joined(_errors(body))}", 300)


def _errors(body: bytes) -> list[tuple[str, str]]:
    """The text and the field of each error in the answer; empty for another form of answer."""
    try:
        errors = json.loads(body)["errors"]
        return [(str(e.get("message") or ""), str(e.get("field") or "")) for e in errors[:5]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []


def _joined(errors: list[tuple[str, str]]) -> str:
    texts = [f"{text} ({field})" if field else text for text, field in errors]
    return "; ".join(texts) or "no reason given"
