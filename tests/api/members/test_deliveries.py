"""What became of a message, recipient by recipient."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from dunning.delivery import DeliveryFact
from stand_ins.office import Office
from tests.cast.bens_actions import bens_letter
from tests.cast.in_doubt import losing, order, report


def test_each_recipient_has_its_own_status(office: Office) -> None:
    path = bens_letter(office)
    office.ben.does(
        "PATCH",
        path,
        {
            "recipients": ["eve@acme.example", "CFO@acme.example"],
            "cc": ["ada@amber.example"],
        },
    )
    office.ben.does("POST", f"{path}/complete")
    office.send()
    office.at("2025-03-18 11:00")
    sent = office.cleo.get(path)["delivery"]
    assert (sent["status"], sent["sends"], sent["look_ups"]) == ("accepted", 1, 0)
    assert (sent["next_look_up"], sent["tracking_number"]) == (None, "")
    assert re.fullmatch("[0-9a-f]{64}", sent["content_hash"])
    assert [(r["role"], r["address"], r["status"]) for r in sent["recipients"]] == [
        ("to", "CFO@acme.example", "sent"),
        ("to", "eve@acme.example", "sent"),
        ("cc", "ada@amber.example", "sent"),
    ]
    at = report(office, path, DeliveryFact.OPENED, "EVE@acme.example")
    report(office, path, DeliveryFact.OPENED_BY_MACHINE, "ada@amber.example")
    report(office, path, DeliveryFact.BOUNCED, "cfo@acme.example", reason="no such mailbox")
    cfo, eve, ada = office.cleo.get(path)["delivery"]["recipients"]
    assert (cfo["status"], cfo["reason"]) == ("bounced", "no such mailbox")
    assert (eve["status"], eve["reason"], cfo["opened_at"]) == ("opened", "", None)
    assert datetime.fromisoformat(eve["opened_at"]) == at
    assert (ada["status"], ada["opened_at"]) == ("sent", None)
    assert ada["machine_opened_at"] is not None


def test_a_letter_shows_its_tracking_number(office: Office) -> None:
    path = bens_letter(office)
    office.ben.does("POST", f"{path}/complete")
    office.send()
    report(office, path, DeliveryFact.SENT, tracking_number="9400 1")
    assert office.cleo.get(path)["delivery"]["tracking_number"] == "9400 1"


def test_an_unknown_delivery_shows_when_it_is_looked_up_next(office: Office) -> None:
    path = bens_letter(office)
    office.ben.does("POST", f"{path}/complete")
    losing(office, 5).send_email(order(office))
    seen = office.ben.get(path)
    assert (seen["status"], seen["answers"]) == ("sending", [])
    assert (seen["delivery"]["status"], seen["delivery"]["sends"]) == ("unknown", 1)
    then = datetime.fromisoformat(seen["delivery"]["next_look_up"])
    assert then == office.now + timedelta(minutes=5)
    assert [r["status"] for r in seen["delivery"]["recipients"]] == ["unknown"]
    office.cleo.fails(404, "GET", path)
    office.ben.fails(409, "POST", f"{path}/answer", {"answer": "send_again"})


def test_completing_with_an_unverified_sender_domain_is_refused(office: Office) -> None:
    path = bens_letter(office)
    office.ada.does("PATCH", "/organisation", {"sender_domains": ["Mail.Amber.example"]})
    told = office.ben.fails(422, "POST", f"{path}/complete", {})
    assert told["type"] == "urn:dunning:problem:sender-not-verified"
    assert "ben@amber.example" in told["detail"]
    assert office.ben.get(path)["completed_at"] is None
    both = ["mail.amber.example", "amber.example"]
    office.ada.does("PATCH", "/organisation", {"sender_domains": both})
    office.ben.does("POST", f"{path}/complete")
