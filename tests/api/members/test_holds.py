"""Pause, promise, dispute, corrected contacts, and what happens next with its reasons."""

from __future__ import annotations

from typing import Any

import pytest

from stand_ins.office import PLAN, Office, acme_body, invoice_body


def why(next_: dict[str, Any]) -> list[int]:
    return [reason["rule"] for reason in next_["why"]]


def test_what_happens_next_when_and_why(office: Office) -> None:
    office.acme(due_on="2025-03-07")
    seen = office.cleo.get("/customers/C-1/next")
    assert (seen["state"], seen["invoice"]["number"]) == ("wait", "2025-001")
    assert seen["step"] == {
        "key": "mail",
        "name": "1st reminder",
        "type": "email",
        "automatic": True,
        "place": 1,
        "of": 3,
    }
    # Due Friday + 1 is a Saturday: it rolls to Monday.
    assert seen["due"] == {"local": "2025-03-10T08:30:00+01:00", "utc": "2025-03-10T07:30:00Z"}
    assert 2 in why(seen)
    assert all(reason["text"] for reason in seen["why"])
    assert "1st reminder" in seen["summary"]
    assert office.nudges() == []  # asking changes nothing
    office.cleo.fails(404, "GET", "/customers/C-9/next")


def test_a_customer_is_paused_and_resumed(office: Office) -> None:
    office.acme()
    paused = office.ben.does(
        "POST", "/customers/C-1/pause", {"until": "2025-04-01", "reason": "fair"}
    )
    assert (paused["paused"], paused["paused_until"]) == (True, "2025-04-01")
    assert office.nudges() == ["pause"]
    seen = office.cleo.get("/customers/C-1/next")
    assert (seen["state"], why(seen)) == ("wait", [38])
    assert seen["at"]["local"] == "2025-04-01T00:00:00+02:00"
    office.cleo.does("POST", "/customers/C-1/pause")
    assert office.cleo.get("/customers/C-1")["paused_until"] is None  # while any runs
    assert office.cleo.get("/customers/C-1/next")["state"] == "rest"
    assert office.ben.does("POST", "/customers/C-1/resume")["paused"] is False
    assert office.nudges() == ["pause", "resume"]
    office.ben.does("POST", "/customers/C-1/resume")
    assert office.nudges() == []
    told = office.ben.fails(422, "POST", "/customers/C-1/pause", {"until": "2025-03-04"})
    assert told["errors"][0]["where"] == "/until"


def test_an_invoice_is_paused_promised_and_disputed(office: Office) -> None:
    office.acme()
    office.billing.does(
        "PUT", "/invoices/INV-2", invoice_body(number="2025-002", due_on="2025-03-04")
    )
    assert office.ben.get("/customers/C-1/next")["invoice"]["number"] == "2025-001"
    office.ben.does("POST", "/invoices/INV-1/pause", {"until": "2025-03-20"})
    assert office.ben.get("/customers/C-1/next")["invoice"]["number"] == "2025-002"
    (total,) = office.ben.get("/customers/C-1")["totals"]
    assert (total["outstanding"], total["overdue"]) == ("200.00", "100.00")  # rule 9
    office.ben.does("POST", "/invoices/INV-1/resume")
    promised = office.ben.does(
        "POST", "/invoices/INV-1/promise", {"promised_on": "2025-03-14", "amount": "50.00"}
    )
    assert promised["promises"] == [{"promised_on": "2025-03-14", "amount": "50.00"}]
    assert office.ben.get("/customers/C-1/next")["invoice"]["number"] == "2025-002"
    later = office.ben.does("POST", "/invoices/INV-1/promise", {"promised_on": "2025-03-21"})
    assert later["promises"] == [{"promised_on": "2025-03-21", "amount": None}]
    office.at("2025-03-22 09:00")
    assert office.ben.get("/customers/C-1/next")["invoice"]["number"] == "2025-001"
    disputed = office.ben.does("POST", "/invoices/INV-1/dispute", {"reason": "broken"})
    assert (disputed["disputed"], disputed["dispute_reason"]) == (True, "broken")
    assert [i["external_id"] for i in office.ben.get("/invoices", disputed=True)["items"]] == [
        "INV-1"
    ]
    assert office.ben.does("POST", "/invoices/INV-1/settle", {"note": "ok"})["disputed"] is False
    kinds = [e["kind"] for e in office.ben.get("/invoices/INV-1/timeline")["items"]]
    assert {"paused", "resumed", "promised", "disputed", "settled"} <= set(kinds)


def test_an_invalid_promise_is_refused(office: Office) -> None:
    office.acme()
    for body, where in (
        ({"promised_on": "2025-03-03"}, "/promised_on"),
        ({"promised_on": "2025-03-14", "amount": "100.01"}, "/amount"),
        ({"promised_on": "2025-03-14", "amount": "0"}, "/amount"),
        ({"promised_on": "2025-03-14", "amount": "1.001"}, "/amount"),
        ({}, "/promised_on"),
    ):
        told = office.ben.fails(422, "POST", "/invoices/INV-1/promise", body)
        assert [e["where"] for e in told["errors"]] == [where]
    office.billing.does("POST", "/invoices/INV-1/void")
    office.ben.fails(409, "POST", "/invoices/INV-1/promise", {"promised_on": "2025-03-14"})


def test_a_corrected_contact_gets_its_reminder_the_following_working_day(office: Office) -> None:
    office.acme(email="")
    office.at("2025-03-06 08:30")
    assert office.review() == "await_owner"
    (action,) = office.ben.get("/actions")["items"]
    assert (action["cause"], action["automatic"]) == ("no_recipient", True)
    office.at("2025-03-07 07:00")
    fixed = office.ben.does("PATCH", "/customers/C-1/contacts/eve", {"email": "eve@acme.example"})
    assert (fixed["email"], fixed["email_invalid"]) == ("eve@acme.example", "")
    assert "account_changed" in office.nudges()
    seen = office.cleo.get("/customers/C-1/next")
    assert seen["due"]["local"] == "2025-03-10T08:30:00+01:00"  # C5: Friday 07:00 to Monday


@pytest.mark.parametrize(
    "later",
    [
        ("PATCH", "/customers/C-1/contacts/eve", {"phone": "+33 6 12 34 56 78"}),
        ("PATCH", "/customers/C-1/contacts/eve", {"postal": {"city": "Lyon"}}),
        ("PATCH", "/customers/C-1/contacts/eve", {"email": "eve.smith@acme.example"}),
        ("PUT", "/customers/C-1", acme_body("eve@new.example")),
        ("PUT", "/customers/C-1", acme_body("eve@acme.example", language="fr")),
    ],
)
def test_a_later_change_does_not_restart_the_wait_after_a_correction(
    office: Office, later: tuple[str, str, dict[str, Any]]
) -> None:
    """To do on Thursday, corrected on Friday: sent on Monday, also when something else
    changes on Monday at 07:00."""
    office.acme(email="")
    office.at("2025-03-06 08:30")
    assert office.review() == "await_owner"
    office.at("2025-03-07 07:00")
    office.ben.does("PATCH", "/customers/C-1/contacts/eve", {"email": "eve@acme.example"})
    office.review()
    office.at("2025-03-10 07:00")
    who = office.billing if later[0] == "PUT" else office.ben
    who.does(*later)
    office.review()
    seen = office.cleo.get("/customers/C-1/next")
    assert seen["due"]["local"] == "2025-03-10T08:30:00+01:00"


def test_a_phone_that_is_corrected_first_is_not_the_correction_of_the_email(
    office: Office,
) -> None:
    office.acme(email="")
    office.at("2025-03-06 08:30")
    assert office.review() == "await_owner"
    path = "/customers/C-1/contacts/eve"
    office.at("2025-03-06 11:00")
    office.ben.does("PATCH", path, {"phone": "+33 6 12 34 56 78"})
    office.at("2025-03-07 07:00")
    office.ben.does("PATCH", path, {"email": "eve@acme.example"})
    seen = office.cleo.get("/customers/C-1/next")
    assert seen["due"]["local"] == "2025-03-10T08:30:00+01:00"


def test_who_opens_a_channel_again_gets_the_reminder_the_following_working_day(
    office: Office,
) -> None:
    office.acme()
    path = "/customers/C-1/contacts/eve"
    office.ben.does("PATCH", path, {"email_closed": "unsubscribed"})
    office.at("2025-03-06 08:30")
    assert office.review() == "await_owner"
    (action,) = office.ben.get("/actions")["items"]
    assert (action["cause"], action["automatic"]) == ("no_recipient", True)
    office.at("2025-03-07 07:00")
    office.ben.does("PATCH", path, {"email_closed": ""})
    seen = office.cleo.get("/customers/C-1/next")
    assert seen["due"]["local"] == "2025-03-10T08:30:00+01:00"


def test_billing_that_repeats_the_old_address_does_not_undo_a_correction(office: Office) -> None:
    office.acme(email="evee@acme.example")
    path = "/customers/C-1/contacts/eve"
    office.ben.does("PATCH", path, {"email": "eve@acme.example"})
    office.acme(email="evee@acme.example")  # the nightly run tells what it always told
    assert office.ben.does("PATCH", path, {})["email"] == "eve@acme.example"
    office.acme(email="new@acme.example")  # something else is news
    assert office.ben.does("PATCH", path, {})["email"] == "new@acme.example"


def test_an_address_is_marked_invalid_and_valid_again(office: Office) -> None:
    office.acme()
    office.nudges()
    path = "/customers/C-1/contacts/eve"
    marked = office.ben.does("PATCH", path, {"email_invalid": "returned"})
    assert (marked["email"], marked["email_invalid"]) == ("eve@acme.example", "returned")
    assert office.nudges() == ["account_changed"]
    office.ben.does("PATCH", path, {"email_invalid": "returned"})
    office.ben.does("PATCH", path, {})
    assert office.nudges() == []
    assert office.ben.does("PATCH", path, {"email_invalid": ""})["email_invalid"] == ""
    postal = {"line1": "1, quai", "postal_code": "69001", "city": "Lyon", "country": "FR"}
    office.ben.does("PATCH", path, {"postal": postal})
    texts = [e["text"] for e in office.ben.get("/customers/C-1/timeline")["items"]]
    assert texts[:3] == [
        "postal of Eve is corrected",
        "email of Eve is valid again",
        "email of Eve is invalid: returned",
    ]
    office.ben.fails(404, "PATCH", "/customers/C-1/contacts/nobody", {"email": ""})
    office.ben.fails(422, "PATCH", path, {"email": "eve"})
    office.ben.fails(422, "PATCH", path, {"email": None})


def test_another_plan_is_given(office: Office) -> None:
    office.acme()
    office.ada.does("PUT", "/plans/Gentle", {**PLAN, "name": "Gentle"})
    assert office.ben.does("PUT", "/customers/C-1/plan", {"plan": "Gentle"})["plan"] == "Gentle"
    assert office.nudges() == ["account_changed"]
    assert office.ben.does("PUT", "/customers/C-1/plan", {"plan": ""})["plan"] is None
    told = office.ben.fails(422, "PUT", "/customers/C-1/plan", {"plan": "Harsh"})
    assert told["errors"][0]["where"] == "/plan"


def test_the_timeline_comes_in_pages(office: Office) -> None:
    office.acme()
    for n in range(7):
        office.ben.does("POST", f"/invoices/INV-1/{'settle' if n % 2 else 'dispute'}")
    texts, cursor = [], None
    while True:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = office.ben.get("/invoices/INV-1/timeline", **params)
        texts += [e["kind"] for e in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert texts == ["disputed", "settled"] * 3 + ["disputed", "invoice_created"]
