"""``next`` for members who do not own the action: it does not reveal that one is open."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlmodel import col

from stand_ins.office import Caller, Office, invoice_body
from store import tables as t
from store.engine import transaction
from tests.cast.in_doubt import losing, order


def told(who: Caller) -> dict[str, Any]:
    return dict(who.get("/customers/C-1/next"))


def waiting_for_ben(office: Office) -> None:
    """Acme's reminder has left on 4 March; the call is due on the 11th, and Ben's then."""
    office.acme()
    office.at("2025-03-04 08:30")
    office.review()
    office.send()


def test_next_is_the_same_to_others_before_during_and_after_an_open_action(office: Office) -> None:
    waiting_for_ben(office)
    nothing = told(office.cleo)
    answers = {}

    def look(when: str) -> None:
        for name, who in (("Ada", office.ada), ("Cleo", office.cleo)):
            answers[f"{name}, {when}"] = told(who)

    look("the day after")
    office.at("2025-03-11 00:00")
    look("at the very moment")
    office.review()
    look("when it is his")
    office.at("2025-03-14 15:00")
    (call,) = office.ben.get("/actions")["items"]
    email = {"type": "email", "subject": "s", "body": "b"}
    office.ben.does("PATCH", f"/actions/{call['id']}", email)
    office.review()
    look("when he made it an email")
    office.ben.does("POST", f"/actions/{call['id']}/complete")
    look("when he completed it")
    sending = losing(office, 0)
    sending.send_email(order(office))
    look("on its way")
    sending.look_up(order(office))
    look("in doubt")
    office.ben.does("POST", f"/actions/{call['id']}/answer", {"answer": "give_up"})
    office.review()
    look("when the next one is to come")
    assert {when: answer for when, answer in answers.items() if answer != nothing} == {}


def test_next_is_true_to_others_and_names_no_open_action(office: Office) -> None:
    waiting_for_ben(office)
    seen = told(office.cleo)
    assert (seen["state"], seen["step"], seen["due"], seen["at"]) == ("rest", None, None, None)
    assert (seen["action_id"], seen["held"]) == (None, None)
    assert seen["summary"] == "Resting · 2025-001 · nothing is planned that leaves by itself"
    assert [(w["rule"], w["text"]) for w in seen["why"]] == [
        (2, "2025-001 (due 2025-03-03) is the oldest open invoice"),
        (20, "nothing is planned that leaves by itself"),
    ]
    for word in ("Call", "call", "Ben", "owner", "see", "hidden"):
        assert word not in str(seen)


def test_next_tells_the_owner_before_during_and_after(office: Office) -> None:
    waiting_for_ben(office)
    before = told(office.ben)
    assert (before["state"], before["step"]["name"]) == ("wait", "Call them")
    assert before["due"]["local"] == "2025-03-11T00:00:00+01:00"
    office.at("2025-03-11 00:00")
    assert told(office.ben)["state"] == "assign"
    office.review()
    mine = told(office.ben)
    assert (mine["state"], mine["step"]["name"]) == ("await_owner", "Call them")
    assert mine["action_id"] == office.ben.get("/actions")["items"][0]["id"]


def test_next_tells_everybody_of_automatic_steps(office: Office) -> None:
    office.acme(due_on="2025-03-10")
    assert told(office.cleo) == told(office.ben)
    assert told(office.cleo)["step"]["name"] == "1st reminder"


def test_a_change_that_everybody_knows_of_is_told_with_its_day(office: Office) -> None:
    """An older invoice is promised until the 20th; everybody may know that it returns then."""
    waiting_for_ben(office)
    older = invoice_body(number="2025-000", due_on="2025-02-20")
    office.billing.does("PUT", "/invoices/INV-0", older)
    office.ben.does("POST", "/invoices/INV-0/promise", {"promised_on": "2025-03-20"})
    office.review()
    nothing = told(office.cleo)
    assert (nothing["state"], nothing["at"]["local"]) == ("wait", "2025-03-21T00:00:00+01:00")
    assert nothing["summary"] == "Waiting until Fri 21 Mar 2025 00:00 CET · 2025-001"
    office.at("2025-03-11 10:00")
    office.review()
    assert len(office.ben.get("/actions")["items"]) == 1
    assert told(office.cleo) == nothing


def test_while_bens_email_is_on_its_way_others_are_told_of_the_dispute_alone(
    office: Office,
) -> None:
    waiting_for_ben(office)
    office.at("2025-03-11 10:00")
    office.review()
    (call,) = office.ben.get("/actions")["items"]
    path = f"/actions/{call['id']}"
    office.ben.does("PATCH", path, {"type": "email", "subject": "s", "body": "b"})
    office.ben.does("POST", f"{path}/complete")
    losing(office, 5).send_email(order(office))
    office.cleo.does("POST", "/invoices/INV-1/dispute", {"reason": "no"})
    seen = told(office.cleo)
    assert (seen["state"], seen["invoice"], seen["at"]) == ("rest", None, None)
    assert [w["rule"] for w in seen["why"]] == [41]
    assert told(office.ben)["step"]["name"] == "Call them"


def test_a_reminder_that_found_no_address_is_bens_and_others_are_not_told(office: Office) -> None:
    office.acme()
    office.cleo.does("PATCH", "/customers/C-1/contacts/eve", {"email_invalid": "left"})
    office.at("2025-03-04 08:30")
    due = told(office.cleo)
    office.review()
    assert told(office.ben)["state"] == "await_owner"
    assert told(office.cleo) == due
    assert due["summary"] == "Resting · 2025-001 · nothing is planned that leaves by itself"
    with transaction(office.engine) as session:  # nobody is left who could own it: the admin's
        session.connection().execute(
            update(t.Action).where(col(t.Action.organisation_id) == office.id).values(owner_id=None)
        )
    assert told(office.ada)["state"] == "await_owner"
    assert told(office.cleo) == due
