"""What Twilio's answer to a send, or a missing answer, means for the message and the account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from messages.lines import one_line
from providers.call import Call, why
from providers.port import Ambiguous, NotSent, Rejected, Result
from providers.twilio.codes import (
    ABOUT_THE_MESSAGE,
    ACCOUNT,
    BUSY,
    OPTED_OUT,
    SENDER_WRONG,
    WORDS,
    WRONG_NUMBER,
    words,
)
from providers.waits import bounded


def failure(error: Exception, call: Call) -> Result:
    """The result of a send that raised ``error``."""
    if call.status is not None:
        return _refusal(error, call.status, call.headers)
    if not call.connected:
        return NotSent(f"Twilio was not reached: {why(error)}")
    return Ambiguous(f"the answer of Twilio was lost: {why(error)}")


def _refusal(error: Exception, status: int, headers: Mapping[str, str]) -> Result:
    """408 and 5xx are Ambiguous: a gateway may give them after Twilio accepted the message."""
    code = str(getattr(error, "code", ""))
    code = code if re.fullmatch(r"[0-9]{5,6}", code) else ""  # else Twilio repeats the status here
    reason = _reason(error, status, code)
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


def _reason(error: Exception, status: int, code: str) -> str:
    """Our words for a known code, else Twilio's."""
    if code in WORDS:
        return words(code)
    text = getattr(error, "msg", None) or getattr(error, "title", None) or ""
    text = re.sub(r"^Unable to create record(: )?", "", str(text)) or "no reason given"
    return one_line(f"Twilio answered {code or status}: {text}", 500)


def _wait(headers: Mapping[str, str]) -> timedelta | None:
    value = headers.get("Retry-After", "").strip()
    if not re.fullmatch(r"[0-9]{1,9}", value):
        return None
    return bounded(timedelta(seconds=int(value)))
