"""The stand-ins' callbacks: their content and their times."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import pytest
from sendgrid.helpers.eventwebhook import EventWebhook
from twilio.request_validator import RequestValidator

from stand_ins.providers import Fault, Faults, Habits, StandIns
from stand_ins.providers.reports import Sender
from tests.cast.at_callbacks import Receiver, callbacks_of, letters, listening, mails, statuses
from tests.cast.at_stand_ins import (
    HANG,
    PATIENCE,
    PUBLIC,
    QUICK,
    SENDS,
    send_sms,
)


def test_each_message_gets_the_callbacks_of_its_provider() -> None:
    on, ours = callbacks_of(QUICK)
    assert Counter((e["email"], e["event"]) for e in mails(ours)) == {
        ("ada@acme.example", "processed"): 1,
        ("ada@acme.example", "delivered"): 1,
        ("ben@acme.example", "processed"): 1,
        ("ben@acme.example", "delivered"): 1,
    }
    assert {e["dunning_delivery_id"] for e in mails(ours)} == {"mail"}
    assert sorted(statuses(ours)) == ["delivered", "sent"]
    assert sorted(letters(ours)) == [
        "letter.certified.delivered",
        "letter.certified.mailed",
        "letter.created",
    ]
    counts = on.counts()
    assert counts.posts == counts.taken == counts.statuses[200] == len(ours.taken)
    assert (counts.retries, counts.abandoned) == (0, 0)
    assert len(counts.answer_times) == counts.posts
    assert 0 < counts.slowest == max(counts.answer_times)


def test_signatures_of_callbacks_are_valid_for_the_official_validators() -> None:
    on, ours = callbacks_of(QUICK)
    webhook, validator = EventWebhook(on.sendgrid_public_key), RequestValidator("")
    validator.token = on.keys.twilio_token.encode()
    checked = set()
    for path, headers, body, _ in ours.taken:
        text = body.decode()
        if path == "/webhooks/sendgrid":
            signature = headers["X-Twilio-Email-Event-Webhook-Signature"]
            stamp = headers["X-Twilio-Email-Event-Webhook-Timestamp"]
            assert text.endswith("\r\n")
            assert webhook.verify_signature(text, signature, stamp)
            assert not webhook.verify_signature(text.rstrip(), signature, stamp)
        elif path == "/webhooks/lob":
            stamp = headers["Lob-Signature-Timestamp"]
            signed = stamp.encode() + b"." + body
            secret = on.keys.lob_secret.encode()
            expected = hmac.new(secret, signed, hashlib.sha256).hexdigest()
            assert headers["Lob-Signature"] == expected
        else:
            form, signature = dict(parse_qsl(text)), headers["X-Twilio-Signature"]
            assert validator.validate(PUBLIC + path, form, signature)
            assert not validator.validate(PUBLIC + path + "x", form, signature)
        checked.add(path)
    assert checked == {"/webhooks/sendgrid", "/webhooks/twilio/status/sms", "/webhooks/lob"}


def test_a_recipient_that_is_not_reached_is_reported_and_in_the_ledger() -> None:
    on, ours = callbacks_of(Habits(delay=0, twice=0, early=0, failing=1))
    assert {e["event"] for e in mails(ours)} == {"processed", "bounce"}
    assert sorted(statuses(ours)) == ["sent", "undelivered"]
    assert any(b"ErrorCode=30003" in body for _, _, body, _ in ours.taken)
    assert "letter.certified.returned_to_sender" in letters(ours)
    assert all(entry.lost == entry.recipients for entry in on.ledger.entries())


def test_events_due_together_come_in_one_post() -> None:
    def seal(events: Sequence[Any]) -> tuple[bytes, dict[str, str]]:
        return json.dumps(list(events)).encode(), {}

    with listening(ours := Receiver()) as address:
        sender = Sender(address, QUICK, 0)
        sender.report("/b", ["a", "b"], seal, batch="x")
        sender.report("/b", ["c"], seal, batch="x")
        sender.report("/b", ["alone"], seal)
        sender.start()
        assert sender.wait_until_quiet(5)
        sender.close()
    assert sorted(sorted(json.loads(body)) for *_, body, _ in ours.taken) == [
        ["a", "b", "c"],
        ["alone"],
    ]


def test_callbacks_are_repeated_late_and_out_of_order() -> None:
    habits = Habits(delay=0.2, twice=1, early=0, opened=0)
    began = time.monotonic()
    with (
        listening(ours := Receiver()) as address,
        StandIns(habits=habits, callbacks_to=address) as on,
    ):
        for _ in range(10):
            send_sms(on, "sms")
        assert on.wait_until_quiet(5)
    assert Counter(statuses(ours)) == {"sent": 20, "delivered": 20}
    first: dict[str, str] = {}
    for _, _, body, _ in ours.taken:
        form = dict(parse_qsl(body.decode()))
        first.setdefault(form["MessageSid"], form["MessageStatus"])
    assert set(first.values()) == {"sent", "delivered"}, "the order is not that of the facts"
    assert max(at for *_, at in ours.taken) - began > 0.05


def test_a_repeated_event_of_an_email_has_another_id() -> None:
    _, ours = callbacks_of(Habits(delay=0, twice=1, early=0, opened=0))
    told = mails(ours)
    assert len(told) == len({e["sg_event_id"] for e in told}) == 8


@pytest.mark.parametrize("provider", SENDS)
@pytest.mark.parametrize("early", [0, 1])
def test_an_early_callback_comes_before_the_answer(provider: str, early: int) -> None:
    habits = Habits(delay=600, twice=0, early=early)
    with listening(ours := Receiver()) as address, StandIns(habits=habits) as on:
        on.aim(address)
        SENDS[provider](on)
        assert len(ours.taken) == early
        on.faults = Faults.only(Fault.HANG_AFTER, hang=HANG)
        with pytest.raises(TimeoutError):
            SENDS[provider](on, timeout=PATIENCE)
        assert len(ours.taken) == 2 * early
        assert on.ledger.accepted("d1") == 2
