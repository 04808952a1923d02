"""An action that returns is as its owner left it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dunning.delivery import DeliveryFact
from stand_ins.office import PLAN, Office, payment_body
from tests.cast.bens_actions import bens_letter
from tests.cast.bens_draft import (
    OWN,
    bens_draft,
    bens_open,
    dispute,
    everything,
    own_of,
    settle,
)
from tests.cast.in_doubt import report
from tests.cast.office_files import names


def paused_invoice(office: Office) -> None:
    office.cleo.does("POST", "/invoices/INV-1/pause", {"until": "2025-03-20"})
    office.review()
    office.at("2025-03-20 10:00")
    office.review()


def broken_promise(office: Office) -> None:
    office.cleo.does("POST", "/invoices/INV-1/promise", {"promised_on": "2025-03-19"})
    office.review()
    office.at("2025-03-20 10:00")
    office.review()


def plan_changed_and_given_back(office: Office) -> None:
    office.ada.does("PUT", "/plans/Other", {**PLAN, "name": "Other"})
    office.cleo.does("PUT", "/customers/C-1/plan", {"plan": "Other"})
    office.review()
    office.cleo.does("PUT", "/customers/C-1/plan", {"plan": "Standard"})
    office.review()


def covered_by_credit(office: Office) -> None:
    office.billing.does("PUT", "/payments/P-9", payment_body(applied=[]))
    office.review()
    office.billing.does("PUT", "/payments/P-9", payment_body("1.00", applied=[]))
    office.review()


def disputed_twice(office: Office) -> None:
    for _ in range(2):
        dispute(office)
        settle(office)


@pytest.mark.parametrize(
    "forced_out_and_back",
    [
        disputed_twice,
        paused_invoice,
        broken_promise,
        plan_changed_and_given_back,
        covered_by_credit,
    ],
)
def test_a_step_that_returns_is_as_its_owner_left_it(
    office: Office, forced_out_and_back: Callable[[Office], None]
) -> None:
    path = bens_draft(office)
    before = own_of(office.ben.get(path))
    forced_out_and_back(office)
    returned = bens_open(office)
    assert f"/actions/{returned['id']}" != path
    assert own_of(returned) == before
    for who in (office.ada, office.cleo):
        assert OWN not in everything(who, path)


def test_what_returned_leaves_as_its_owner_wrote_it(office: Office) -> None:
    bens_draft(office)
    dispute(office)
    settle(office)
    returned = bens_open(office)
    office.ben.does("POST", f"/actions/{returned['id']}/complete")
    office.send()
    done = office.cleo.get(f"/actions/{returned['id']}")
    assert (done["status"], done["message"]) == ("done", returned["message"])
    assert names(done["message"]["attachments"]) == [f"{OWN}.pdf"]


def test_a_completed_email_that_a_pause_stops_is_private_and_returns(office: Office) -> None:
    path = bens_draft(office)
    office.ben.does("POST", f"{path}/complete", {"note": f"{OWN} agreed"})
    office.cleo.does("POST", "/customers/C-1/pause", {"until": "2025-03-20"})
    office.review()
    assert office.cleo.get(path)["status"] == "withdrawn"
    assert OWN not in everything(office.cleo, path)
    office.at("2025-03-20 10:00")
    office.review()
    returned = bens_open(office)
    assert (returned["note"], returned["completed_at"]) == (f"{OWN} agreed", None)
    assert names(returned["attachments"]) == [f"{OWN}.pdf"]


def test_the_words_of_a_call_return_though_the_plan_was_saved_meanwhile(office: Office) -> None:
    path = f"/actions/{office.bens_call()['id']}"
    office.ben.does("PATCH", path, {"body": f"Ask for {OWN}.", "recipients": ["+33999"]})
    dispute(office)
    call = {**PLAN["steps"][1], "type": "email", "subject": "s", "body": "b"}
    steps = [PLAN["steps"][0], call, PLAN["steps"][2]]
    office.ada.does("PUT", "/plans/Standard", {**PLAN, "steps": steps})
    settle(office)
    returned = bens_open(office)
    assert returned["type"] == "email"
    # A script never leaves, and a number is nobody's email address.
    assert OWN not in str(returned["message"])
    assert [r["address"] for r in returned["message"]["recipients"]] == ["eve@acme.example"]


def test_a_task_that_returns_keeps_its_note(office: Office) -> None:
    path = bens_letter(office)
    office.ben.does("POST", f"{path}/skip", {"reason": "no"})
    office.review()
    task = bens_open(office)
    assert task["name"] == "plan exhausted"
    office.ben.does("PATCH", f"/actions/{task['id']}", {"note": f"ask {OWN}"})
    dispute(office)
    assert OWN not in everything(office.cleo, f"/actions/{task['id']}")
    settle(office)
    assert bens_open(office)["note"] == f"ask {OWN}"


def test_an_email_that_bounced_is_open_again_as_it_was_written(office: Office) -> None:
    path = bens_draft(office)
    before = office.ben.get(path)
    office.ben.does("POST", f"{path}/complete")
    office.send()
    report(office, path, DeliveryFact.BOUNCED, f"{OWN}@acme.example", reason="no such mailbox")
    office.review()
    again = bens_open(office)
    assert (again["texts"], again["note"]) == (before["texts"], before["note"])
    assert names(again["attachments"]) == [f"{OWN}.pdf"]
