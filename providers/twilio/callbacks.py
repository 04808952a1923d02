"""What Twilio calls back: the status of an SMS, and customers' replies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator, get_signature_algorithm

from dunning.delivery import DeliveryFact
from dunning.learnt import Reply, Report, Wish
from messages.lines import TEXT_CONTROL, one_line
from messages.sms import wish
from providers.callback import BadCallback, Callback
from providers.twilio.codes import GONE_NUMBER, OPTED_OUT, is_short_code, words

#: A carrier gives the time of delivery without its time zone (Twilio, changelog of 14 February
#: 2023). Zones differ by at least half an hour, so a time this close to the callback is UTC.
_DONE_WITHIN = timedelta(minutes=25)
_UNREACHABLE = "30006"
_FAILED = frozenset({"undelivered", "failed", "canceled"})
_SENT = frozenset({"accepted", "scheduled", "queued", "sending", "sent"})
_STATUS_PATH = re.compile(r".*/webhooks/twilio/status/([A-Za-z0-9][A-Za-z0-9_.-]{0,127})")


def verified(tokens: Sequence[str], callback: Callback, now: datetime) -> bool:
    """Whether Twilio signed the address and the form of this callback with one of the tokens
    (Twilio, "Webhooks security"). It signs no time, so ``now`` is not used. Never raises."""
    signature = callback.headers.get("x-twilio-signature", "")
    algorithm = get_signature_algorithm(
        callback.headers.get("x-twilio-webhooks-signature-settings", "")
    )
    try:
        form = _form(callback)
        results = [
            RequestValidator(token).validate(callback.url, form, signature, algorithm)
            for token in tokens
            if token
        ]
    except Exception:  # noqa: BLE001 - a callback that cannot be checked is not signed
        return False
    return any(results)


def read(callback: Callback, now: datetime) -> list[Report | Reply]:
    """The events of one status callback, or the one reply that a customer wrote.

    ``now`` (UTC) is when the callback came in. The delivery id is in the signed address, so a
    status is matched even if the answer to the send was lost. Raises BadCallback.
    """
    path = urlsplit(callback.url).path
    try:
        form = {name: values[0] for name, values in _form(callback).items()}
    except ValueError:
        raise BadCallback("the form of Twilio is no UTF-8, or has too many fields") from None
    sid = one_line(form.get("MessageSid") or form.get("SmsSid") or "", 100)
    if not sid:
        raise BadCallback("the form of Twilio names no MessageSid")
    if path.endswith("/inbound"):
        return [_reply(form, sid, now)]
    match = _STATUS_PATH.fullmatch(path)
    if match is None:
        raise BadCallback("the address names no delivery")
    status = one_line(form.get("MessageStatus") or form.get("SmsStatus") or "", 50)
    if not status:
        raise BadCallback("the form of Twilio names no MessageStatus")
    code = one_line(form.get("ErrorCode", ""), 20)
    fact, reason = _fact(status, code, one_line(form.get("From", ""), 100))
    event = Report(
        fact=fact,
        at=_done_at(form.get("RawDlrDoneDate", ""), now),
        delivery_id=match[1],
        provider_id=sid,
        address=one_line(form.get("To", ""), 100),
        reason=reason,
    )
    if code == OPTED_OUT:  # the recipient had answered STOP, so Twilio did not try
        return [event, replace(event, fact=DeliveryFact.FAILED)]
    return [event]


def _reply(form: Mapping[str, str], sid: str, now: datetime) -> Reply:
    text = TEXT_CONTROL.sub("", form.get("Body", "").replace("\r\n", "\n"))
    asked = (
        form.get("OptOutType", "").strip().upper()
    )  # only when Twilio itself handles STOP and START
    wishes = {"STOP": Wish.STOP, "START": Wish.START}
    return Reply(
        at=now,
        sender=one_line(form.get("From", ""), 100),
        text=text,
        provider_id=sid,
        wish=wishes.get(asked) if asked else wish(text),
    )


def _fact(status: str, code: str, sender: str) -> tuple[DeliveryFact, str]:
    if status in _SENT:
        return DeliveryFact.SENT, ""
    if status == "delivered":
        return DeliveryFact.RECEIVED, ""
    if status == "read":
        return DeliveryFact.OPENED, ""
    if status not in _FAILED:
        return DeliveryFact.NOTED, f"Twilio says {status}"
    if status == "canceled" and not code:
        return DeliveryFact.FAILED, "it was cancelled before it left"
    if code == _UNREACHABLE and is_short_code(sender):  # caused by the operator, not by the number
        return DeliveryFact.FAILED, f"the operator takes no SMS from a short code (Twilio {code})"
    reason = words(code)
    if code == OPTED_OUT:
        return DeliveryFact.UNSUBSCRIBED, reason
    return (DeliveryFact.BOUNCED if code in GONE_NUMBER else DeliveryFact.FAILED), reason


def _done_at(written: str, now: datetime) -> datetime:
    """The carrier's time (YYMMDDhhmm) if it is plausible as UTC; else ``now``."""
    if not re.fullmatch(r"[0-9]{10}", written):
        return now
    try:
        at = datetime.strptime(f"{written}+0000", "%y%m%d%H%M%z").astimezone(UTC)
    except ValueError:
        return now
    return at if timedelta(0) <= now - at <= _DONE_WITHIN else now


class _Form(dict[str, list[str]]):
    """Keeps repeated fields, which the signature covers; the library calls ``getlist``."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def _form(callback: Callback) -> _Form:
    """Raises ValueError."""
    form = _Form()
    pairs = parse_qsl(
        callback.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=500
    )
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    return form
