"""SendGrid's event webhook: the fact that each event reports."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dunning.delivery import DeliveryFact
from dunning.learnt import Reply, Report
from providers.callback import BadCallback, Callback
from providers.sendgrid.callbacks import read
from tests.cast.sendgrid_callbacks import EVENTS, NOW, OURS


def event(name: str, **more: object) -> dict[str, Any]:
    entry = {
        "event": name,
        "email": "ada@acme.example",
        "timestamp": 1741075200,  # 4 March 2025, 08:00 UTC
        "sg_event_id": "ZXZlbnQ",
        "sg_message_id": "-abc_1.recvd-85ab-1.0",
        "dunning_delivery_id": OURS,
    }
    return entry | more


def events(*entries: object, url: str = EVENTS) -> list[Report | Reply]:
    return read(Callback(url, json.dumps(entries).encode()), NOW)


def only(entry: object) -> Report:
    (said,) = events(entry)
    assert isinstance(said, Report)
    return said


def test_an_event_is_read_with_every_field() -> None:
    reason = "550 5.1.1 No such user"
    assert only(event("bounce", type="bounce", reason=reason, status="5.1.1")) == Report(
        fact=DeliveryFact.BOUNCED,
        at=datetime(2025, 3, 4, 8, 0, tzinfo=UTC),
        delivery_id=OURS,
        provider_id="-abc_1",
        address="ada@acme.example",
        reason=reason,
    )


@pytest.mark.parametrize(
    ("entry", "fact"),
    [
        (event("processed"), DeliveryFact.SENT),
        (event("deferred", response="400 try again later"), DeliveryFact.SENT),
        (event("delivered", response="250 OK"), DeliveryFact.RECEIVED),
        (event("bounce", type="bounce"), DeliveryFact.BOUNCED),
        (event("bounce"), DeliveryFact.BOUNCED),
        (event("bounce", type="blocked"), DeliveryFact.BLOCKED),
        (event("open"), DeliveryFact.OPENED),
        (event("open", sg_machine_open=False), DeliveryFact.OPENED),
        (event("open", sg_machine_open=True), DeliveryFact.OPENED_BY_MACHINE),
        (event("click", url="https://amber.example"), DeliveryFact.CLICKED),
        (event("spamreport"), DeliveryFact.COMPLAINED),
        (event("unsubscribe"), DeliveryFact.UNSUBSCRIBED),
        (event("group_unsubscribe", asm_group_id=1), DeliveryFact.UNSUBSCRIBED),
        (event("group_resubscribe", asm_group_id=1), DeliveryFact.RESUBSCRIBED),
    ],
)
def test_each_kind_of_event_reports_a_fact(entry: dict[str, Any], fact: DeliveryFact) -> None:
    assert only(entry).fact is fact


@pytest.mark.parametrize(
    ("given", "fact", "reason"),
    [
        ("Bounced Address", DeliveryFact.BOUNCED, "the address has bounced before"),
        ("Bounced Address\n", DeliveryFact.BOUNCED, "the address has bounced before"),
        ("Invalid", DeliveryFact.BOUNCED, "the address is not valid"),
        (
            "Unsubscribed Address",
            DeliveryFact.UNSUBSCRIBED,
            "the address is unsubscribed at SendGrid",
        ),
        (
            "Spam Reporting Address",
            DeliveryFact.COMPLAINED,
            "the recipient has reported mail as spam before",
        ),
        ("Invalid SMTPAPI header", DeliveryFact.FAILED, "Invalid SMTPAPI header"),
        ("Spam Content", DeliveryFact.FAILED, "Spam Content"),
        (None, DeliveryFact.FAILED, "SendGrid does not say why"),
    ],
)
def test_a_dropped_email_has_its_reason(given: str | None, fact: DeliveryFact, reason: str) -> None:
    said, *more = events(event("dropped", reason=given))
    assert isinstance(said, Report)
    assert (said.fact, said.reason) == (fact, f"not attempted: {reason}")
    # Beside the opt-out, the message itself was not sent.
    wish = fact in (DeliveryFact.UNSUBSCRIBED, DeliveryFact.COMPLAINED)
    assert more == ([replace(said, fact=DeliveryFact.FAILED)] if wish else [])


def test_a_delay_has_a_reason_and_a_success_has_none() -> None:
    assert only(event("deferred", response="400 later\r\n")).reason == "400 later"
    assert only(event("delivered", response="250 OK")).reason == ""


def test_an_asynchronous_bounce_has_no_delivery_id() -> None:
    late = event("bounce", type="bounce", reason="mailbox\u2028gone")
    del late["dunning_delivery_id"], late["sg_message_id"]
    said = only(late)
    assert (said.delivery_id, said.provider_id, said.address, said.reason) == (
        "",
        "",
        "ada@acme.example",
        "mailbox gone",
    )


@pytest.mark.parametrize("delivery_id", ["17", f"{OURS}x", f"{{{OURS}}}", "", None, 17, [OURS]])
def test_a_malformed_delivery_id_is_left_out(delivery_id: object) -> None:
    assert only(event("open", dunning_delivery_id=delivery_id)).delivery_id == ""


@pytest.mark.parametrize("at", [None, "soon", "", 0, -1, True, 1e300, 9999999999999, [1], 1e9])
def test_an_impossible_time_of_an_event_is_replaced_by_now(at: object) -> None:
    assert only(event("open", timestamp=at)).at == NOW


def test_a_time_that_is_a_text_or_has_a_fraction_is_read() -> None:
    assert only(event("open", timestamp="1741075200")).at == datetime(2025, 3, 4, 8, tzinfo=UTC)
    assert only(event("open", timestamp=1741075200.0)).at == datetime(2025, 3, 4, 8, tzinfo=UTC)
    (nan,) = read(Callback(EVENTS, b'[{"event":"open","email":"a@b.c","timestamp":NaN}]'), NOW)
    assert nan.at == NOW


def test_an_event_without_a_recipient_is_only_recorded() -> None:
    """A fact without an address would apply to every recipient of the delivery."""
    said = only(event("dropped", reason="Invalid", email=""))
    assert (said.fact, said.address, said.delivery_id) == (DeliveryFact.NOTED, "", OURS)


def test_a_malformed_entry_does_not_lose_the_others() -> None:
    bad: list[object] = [
        None,
        1,
        "open",
        [],
        {},
        {"event": None},
        {"event": ["open"]},
        {"event": {}},
        event("account_status_change", type="compliance_suspend"),
        event("cancel_drop"),
        event("an event of 2031"),
    ]
    said = events(event("processed"), *bad, event("delivered", email=None), event("open"))
    facts = [e.fact for e in said if isinstance(e, Report)]
    assert facts == [DeliveryFact.SENT, DeliveryFact.NOTED, DeliveryFact.OPENED]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b"[", b"\xff", b"[" * 100_000, b'{"event":"open"}', b"9" * 5000]
)
def test_a_body_that_is_not_a_list_is_refused(body: bytes) -> None:
    with pytest.raises(BadCallback):
        read(Callback(EVENTS, body), NOW)


@pytest.mark.parametrize("more", ["", "/", f"/{OURS}", f"/{OURS}/", "?a=/inbound"])
def test_events_are_read_on_both_webhook_paths(more: str) -> None:
    assert len(events(event("open"), url=EVENTS + more)) == 1


@pytest.mark.parametrize(
    "url", [f"{EVENTS}/a/b", "https://dunning.example/webhooks/twilio", "", "/"]
)
def test_an_event_on_another_path_is_refused(url: str) -> None:
    with pytest.raises(BadCallback):
        events(event("open"), url=url)
