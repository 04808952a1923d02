"""Callbacks of Lob: the signature, and the fact that each event reports."""

from __future__ import annotations

import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dunning.delivery import DeliveryFact
from dunning.learnt import Report
from providers.callback import BadCallback, Callback
from providers.lob import callbacks as lob_callbacks
from tests.cast.at_lob import (
    NOW,
    OURS,
)


def signed(body: bytes, secret: str, at: datetime = NOW, unit: int = 1) -> Callback:
    stamp = str(int(at.timestamp() * unit))
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, "sha256").hexdigest()
    return Callback("", body, {"lob-signature": mac, "lob-signature-timestamp": stamp})


@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
def test_a_signature_with_any_of_the_secrets_is_valid_for_a_day(unit: int) -> None:
    late = signed(b"{}", "new", NOW - timedelta(hours=23), unit)
    assert lob_callbacks.verified(("old", "new"), late, NOW)
    assert not lob_callbacks.verified(("old",), late, NOW)
    assert not lob_callbacks.verified((), late, NOW)
    assert not lob_callbacks.verified(("", "old"), signed(b"{}", "", NOW, unit), NOW)
    assert not lob_callbacks.verified(("new",), late, NOW + timedelta(hours=2))
    assert not lob_callbacks.verified(("new",), late, NOW - timedelta(hours=48))
    assert not lob_callbacks.verified(("new",), replace(late, body=b"{ }"), NOW)


@pytest.mark.parametrize("stamp", ["", "x", "-1", "1" * 30, "²", "1.5", "\ud800"])
@pytest.mark.parametrize("signature", ["", "é", "\ud800", "00"])
def test_malformed_signature_headers_are_refused_without_an_error(
    stamp: str, signature: str
) -> None:
    headers = {"lob-signature": signature, "lob-signature-timestamp": stamp}
    assert not lob_callbacks.verified(("new",), Callback("", b"{}", headers), NOW)
    assert not lob_callbacks.verified(("new",), Callback("", b"{}"), NOW)


def event(kind: str, **body: Any) -> Report:
    found = {
        "id": "evt_1",
        "event_type": {"id": kind, "resource": "letters", "object": "event_type"},
        "date_created": "2025-03-03T21:25:59.123Z",
        "reference_id": "ltr_1",
        "body": {"id": "ltr_1", "metadata": {"dunning_delivery_id": OURS}} | body,
    }
    (only,) = lob_callbacks.read(Callback("", json.dumps(found).encode()), NOW)
    assert isinstance(only, Report)
    return only


def test_an_event_has_its_fact_time_and_delivery() -> None:
    assert event("letter.in_transit", tracking_number="92071902") == Report(
        fact=DeliveryFact.SENT,
        at=datetime(2025, 3, 3, 21, 25, 59, 123000, tzinfo=UTC),
        delivery_id=OURS,
        provider_id="ltr_1",
        tracking_number="92071902",
    )


@pytest.mark.parametrize(
    ("kind", "fact"),
    [
        ("letter.mailed", DeliveryFact.SENT),
        ("letter.in_local_area", DeliveryFact.SENT),
        ("letter.processed_for_delivery", DeliveryFact.SENT),
        ("letter.international_exit", DeliveryFact.SENT),
        ("letter.certified.mailed", DeliveryFact.SENT),
        ("letter.delivered", DeliveryFact.RECEIVED),
        ("letter.certified.delivered", DeliveryFact.RECEIVED),
        ("letter.viewed", DeliveryFact.OPENED),
        ("letter.failed", DeliveryFact.FAILED),
        ("letter.rejected", DeliveryFact.FAILED),
        ("letter.deleted", DeliveryFact.FAILED),
        ("letter.returned_to_sender", DeliveryFact.RETURNED),
        ("letter.certified.returned_to_sender", DeliveryFact.RETURNED),
        ("letter.created", DeliveryFact.NOTED),
        ("letter.re-routed", DeliveryFact.NOTED),
        ("letter.certified.issue", DeliveryFact.NOTED),
        ("letter.certified.pickup_available", DeliveryFact.NOTED),
        (
            "letter.informed_delivery.email_opened",
            DeliveryFact.NOTED,
        ),  # "mail" is the post here, not the letter
        ("letter.return_envelope.returned_to_sender", DeliveryFact.NOTED),
        ("letter.something_new", DeliveryFact.NOTED),
        ("postcard.delivered", DeliveryFact.NOTED),
    ],
)
def test_each_kind_of_event_reports_a_fact(kind: str, fact: DeliveryFact) -> None:
    found = event(kind)
    assert found.fact is fact
    assert bool(found.reason) == (
        fact not in (DeliveryFact.SENT, DeliveryFact.RECEIVED, DeliveryFact.OPENED)
    )


def test_a_returned_letter_has_that_reason() -> None:
    assert event("letter.returned_to_sender").reason == "the post returned it to the sender"


def test_an_event_without_a_date_and_our_id_is_read() -> None:
    body = {"event_type": {"id": "letter.mailed"}, "reference_id": "ltr_9", "body": {}}
    for odd in ({}, {"date_created": "yesterday"}, {"date_created": 7}):
        (only,) = lob_callbacks.read(Callback("", json.dumps(body | odd).encode()), NOW)
        want = Report(fact=DeliveryFact.SENT, at=NOW, provider_id="ltr_9")
        assert only == want


def test_control_characters_are_removed() -> None:
    found = event("letter.mailed", id="ltr\x00_1\ud800", tracking_number="9\x002", metadata=[1])
    assert (found.provider_id, found.tracking_number, found.delivery_id) == ("ltr _1", "9 2", "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"event_type": "letter.mailed"}',
        b'{"event_type": {"id": "letter.mailed"}, "body": []}',
        b'{"event_type": {}, "body": {}}',
    ],
)
def test_a_body_that_is_not_an_event_is_refused(body: bytes) -> None:
    with pytest.raises(BadCallback):
        lob_callbacks.read(Callback("", body), NOW)


def test_a_failed_letter_has_its_reason() -> None:
    why = {"failure_reason": "The file has 14 pages.", "remediation": "Use at most 12."}
    assert event("letter.failed", failure_reason=why).reason == (
        "Lob could not print or post it: The file has 14 pages. Use at most 12."
    )
    assert event("letter.failed", failure_reason=None).reason == "Lob could not print or post it"


def tracked(kind: str, detail: str, *, name: str = "Issue", action: bool = False) -> Report:
    old = {"name": name, "time": "2025-03-01T10:00:00Z", "details": {"event": "delayed"}}
    new = {
        "name": name,
        "time": "2025-03-03T10:00:00Z",
        "details": {
            "event": detail,
            "description": "Said by the carrier.",
            "action_required": action,
            "notes": None,
        },
    }
    return event(kind, tracking_events=[new, old, "odd"])


@pytest.mark.parametrize(
    ("detail", "fact", "words"),
    [
        ("package_lost", DeliveryFact.FAILED, "the post lost it"),
        ("package_unclaimed", DeliveryFact.FAILED, "nobody picked it up at the post office"),
        ("package_undeliverable", DeliveryFact.FAILED, "the post could not deliver it"),
        ("notice_left", DeliveryFact.NOTED, "the post found nobody and left a notice"),
        ("a_new_one", DeliveryFact.NOTED, "Said by the carrier."),
    ],
)
def test_details_of_a_certified_letter_are_in_plain_words(
    detail: str, fact: DeliveryFact, words: str
) -> None:
    found = tracked("letter.certified.issue", detail)
    assert (found.fact, found.reason) == (fact, words)
    acting = tracked("letter.certified.issue", detail, action=True)
    assert acting.reason == f"{words} (the recipient must act)"


def test_an_unclaimed_letter_does_not_make_the_address_invalid() -> None:
    kind, name = "letter.certified.returned_to_sender", "Returned to Sender"
    assert tracked(kind, "package_unclaimed", name=name).fact is DeliveryFact.FAILED
    assert tracked(kind, "returned_to_sender", name=name).fact is DeliveryFact.RETURNED
    assert tracked("letter.certified.delivered", "delivered", name="Delivered").reason == ""
