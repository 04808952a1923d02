"""Callbacks of Twilio: the fact that each status reports, and replies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from dunning.delivery import DeliveryFact
from dunning.learnt import Reply, Report, Wish
from providers.callback import BadCallback, Callback
from providers.twilio.callbacks import read
from providers.twilio.codes import OPTED_OUT
from tests.cast.at_twilio import (
    BASE,
    NOON,
    OURS,
    SM,
)

# What is in a callback


def report(status: str, path: str = f"/webhooks/twilio/status/{OURS}", **fields: str) -> Callback:
    form = {"MessageSid": SM, "MessageStatus": status, "To": "+33612345678", "From": "Amber"}
    body = urlencode({name: v for name, v in (form | fields).items() if v != "gone"}).encode()
    return Callback(BASE + path, body, {"i-twilio-idempotency-token": "t1"})


def events(callback: Callback) -> list[Report]:
    return [found for found in read(callback, NOON) if isinstance(found, Report)]


def event(callback: Callback) -> Report:
    [only] = events(callback)
    return only


def test_a_status_callback_is_matched_to_its_delivery() -> None:
    assert event(report("delivered")) == Report(
        fact=DeliveryFact.RECEIVED,
        at=NOON,
        delivery_id=OURS,
        provider_id=SM,
        address="+33612345678",
    )
    assert event(report("sent", f"/own/place/webhooks/twilio/status/{OURS}")).delivery_id == OURS


@pytest.mark.parametrize(
    ("status", "code", "fact"),
    [
        ("accepted", "", DeliveryFact.SENT),
        ("scheduled", "", DeliveryFact.SENT),
        ("queued", "", DeliveryFact.SENT),
        ("sending", "", DeliveryFact.SENT),
        ("sent", "", DeliveryFact.SENT),
        ("delivered", "", DeliveryFact.RECEIVED),
        ("read", "", DeliveryFact.OPENED),
        ("undelivered", "", DeliveryFact.FAILED),
        ("undelivered", "30003", DeliveryFact.FAILED),
        ("undelivered", "30005", DeliveryFact.BOUNCED),
        ("undelivered", "30006", DeliveryFact.BOUNCED),
        ("undelivered", "30007", DeliveryFact.FAILED),
        ("failed", "21211", DeliveryFact.BOUNCED),
        ("failed", "21614", DeliveryFact.BOUNCED),
        ("failed", OPTED_OUT, DeliveryFact.UNSUBSCRIBED),
        ("failed", "99999", DeliveryFact.FAILED),
        ("canceled", "", DeliveryFact.FAILED),
        ("partially_delivered", "", DeliveryFact.NOTED),
        ("beamed", "", DeliveryFact.NOTED),
    ],
)
def test_each_status_reports_a_fact(status: str, code: str, fact: DeliveryFact) -> None:
    seen, *more = events(report(status, ErrorCode=code or "gone"))
    # Beside the opt-out, the message itself was not sent.
    assert [e.fact for e in more] == (
        [DeliveryFact.FAILED] if fact is DeliveryFact.UNSUBSCRIBED else []
    )
    assert seen.fact is fact
    assert code in seen.reason
    assert bool(seen.reason) == (
        fact not in {DeliveryFact.SENT, DeliveryFact.RECEIVED, DeliveryFact.OPENED}
    )


def test_an_operator_without_short_codes_does_not_mark_the_number_invalid() -> None:
    """Twilio, 30006: "a landline, or in the case of short codes an unreachable carrier"."""
    seen = event(report("undelivered", ErrorCode="30006", From="38123"))
    assert seen.fact is DeliveryFact.FAILED
    assert seen.reason == "the operator takes no SMS from a short code (Twilio 30006)"
    for sender in ("+33700000000", "Amber Sons"):
        seen = event(report("undelivered", ErrorCode="30006", From=sender))
        assert seen.fact is DeliveryFact.BOUNCED


def test_the_reason_of_a_status_is_in_plain_words() -> None:
    reason = event(report("undelivered", ErrorCode="30003")).reason
    assert reason == "the phone is switched off or out of reach (Twilio 30003)"


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2503041155", NOON - timedelta(minutes=5)),
        ("2503041200", NOON),
        ("2503041300", NOON),  # a carrier an hour ahead, or a wrong clock
        ("2503040655", NOON),  # a carrier five hours behind
        ("2599999999", NOON),
        ("soon", NOON),
        ("٢٥٠٣٠٤١١٥٥", NOON),
        ("", NOON),
    ],
)
def test_the_carriers_time_is_taken_if_it_is_plausible_in_utc(written: str, at: datetime) -> None:
    seen = event(report("delivered", RawDlrDoneDate=written)).at
    assert seen == at
    assert seen.tzinfo is UTC


def answered(**fields: str) -> Reply:
    [only] = read(report("received", "/webhooks/twilio/inbound", **fields), NOON)
    assert isinstance(only, Reply)
    return only


def test_an_sms_of_a_customer_is_a_reply() -> None:
    seen = answered(
        Body="I paid\r\nyesterday \U0001f600\x00", From="+33612345678", To="+33700000000"
    )
    assert seen == Reply(
        at=NOON,
        sender="+33612345678",
        text="I paid\nyesterday \U0001f600",
        provider_id=SM,
    )


@pytest.mark.parametrize(
    ("body", "asked", "wanted"),
    [
        ("STOP", "gone", Wish.STOP),
        ("Arrêt", "gone", Wish.STOP),
        ("start", "gone", Wish.START),
        ("Adieu", "STOP", Wish.STOP),  # a keyword that this account defined
        ("Encore", "START", Wish.START),
        ("HELP", "HELP", None),
        ("I paid", "gone", None),
    ],
)
def test_stop_and_start_are_recognised(body: str, asked: str, wanted: Wish | None) -> None:
    assert answered(Body=body, OptOutType=asked).wish is wanted


@pytest.mark.parametrize(
    "callback",
    [
        report("sent", MessageSid="gone"),
        report("sent", MessageStatus="gone"),
        report("sent", "/webhooks/twilio/status/"),
        report("sent", "/webhooks/twilio/status/a/b"),
        report("sent", "/webhooks/twilio/status/%00"),
        report("sent", "/webhooks/twilio"),
        Callback(f"{BASE}/webhooks/twilio/inbound", b""),
        Callback(f"{BASE}/webhooks/twilio/inbound", b"MessageSid=%ff"),
        Callback(f"{BASE}/webhooks/twilio/inbound", b"\xff"),
        Callback(f"{BASE}/webhooks/twilio/inbound", b'{"MessageSid": "SM1"}'),
        Callback(f"{BASE}/webhooks/twilio/inbound", b"a=1&" * 501),
    ],
)
def test_a_malformed_callback_is_refused(callback: Callback) -> None:
    with pytest.raises(BadCallback):
        read(callback, NOON)
