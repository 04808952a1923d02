"""An action that is forced out stays its owner's, and what returns is as its owner had left it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from backoffice.delivery.completing import work_open_action
from backoffice.worklist.working import How
from dunning.delivery import DeliveryFact
from stand_ins.office import PLAN, Caller, Office, acme_body, payment_body
from store.engine import transaction
from store.load import load
from store.unit import Unit
from tests.api.members.test_actions import bens_letter
from tests.api.members.test_deliveries import report
from tests.api.members.test_files import attached, names

#: All that Ben writes has this in it: nobody else may read it anywhere.
OWN = "zebra"
EDITS = {
    "recipients": [f"{OWN}@acme.example"], "cc": [f"{OWN}-cc@acme.example"],
    "bcc": [f"{OWN}-bcc@acme.example"], "subject": f"{OWN} {{{{ invoice.number }}}}",
    "body": f"Dear {OWN}, {{{{ invoice.balance }}}}.", "note": f"the CFO is a {OWN}",
}  # fmt: skip


def bens_draft(office: Office) -> str:
    """Ben has an email to write: every field of it is edited, and a file attached."""
    path = bens_letter(office)
    office.ben.does("PATCH", path, EDITS)
    attached(office.ben, path, f"{OWN}.pdf")
    return path


def everything(who: Caller, path: str) -> str:
    """All that a member can read about the customer and one of its actions."""
    asked = (
        path, "/customers/C-1/timeline", "/invoices/INV-1/timeline", "/customers/C-1/next",
        "/customers/C-1", "/invoices/INV-1", "/customers/C-1/replies", "/outbox",
    )  # fmt: skip
    ended = [{"scope": "all", "status": status} for status in ("withdrawn", "skipped")]
    lists: list[dict[str, Any]] = [{}, {"scope": "all"}, *ended]
    seen = [who.get(one) for one in asked] + [who.get("/actions", **one) for one in lists]
    return str(seen)


def dispute(office: Office) -> None:
    office.cleo.does("POST", "/invoices/INV-1/dispute", {"reason": "let me see"})
    office.review()


def settle(office: Office) -> None:
    office.cleo.does("POST", "/invoices/INV-1/settle")
    office.review()


def bens_open(office: Office) -> dict[str, Any]:
    (action,) = office.ben.get("/actions")["items"]
    return dict(office.ben.get(f"/actions/{action['id']}"))


def own_of(action: dict[str, Any]) -> dict[str, Any]:
    """What an owner can change of an action, as its owner sees it."""
    parts = ("planned_type", "type", "note", "texts", "message")
    return {part: action[part] for part in parts} | {"files": names(action["attachments"])}


def test_a_disputed_invoice_does_not_open_the_owners_draft_to_others(office: Office) -> None:
    path = bens_draft(office)
    file = office.ben.get(path)["attachments"][0]["id"]
    dispute(office)
    for who in (office.ada, office.cleo):
        seen = who.get(path)
        assert seen["status"] == "withdrawn"
        assert "disputed" in seen["reason"]
        assert OWN not in everything(who, path)
        who.fails(404, "GET", f"{path}/attachments/{file}")
        told = [e for e in who.get("/customers/C-1/timeline")["items"] if e["action_id"]]
        about = [e["kind"] for e in told if e["action_id"] == seen["id"]]
        assert about == ["action_withdrawn"]


def test_its_owner_reads_a_withdrawn_draft_as_before(office: Office) -> None:
    path = bens_draft(office)
    file = office.ben.get(path)["attachments"][0]["id"]
    dispute(office)
    seen = office.ben.get(path)
    assert (seen["status"], seen["note"]) == ("withdrawn", EDITS["note"])
    assert seen["texts"] == {"subject": EDITS["subject"], "body": EDITS["body"]}
    assert names(seen["attachments"]) == [f"{OWN}.pdf"]
    assert office.ben("GET", f"{path}/attachments/{file}").status_code == 200
    kinds = {e["kind"] for e in office.ben.get("/customers/C-1/timeline")["items"]}
    assert {"action_edited", "action_withdrawn"} <= kinds


def test_the_type_that_the_owner_chose_is_not_told_to_others(office: Office) -> None:
    path = bens_letter(office)
    office.ben.does("PATCH", path, {"type": "call", "body": f"Ring {OWN}."})
    dispute(office)
    assert office.ben.get(path)["type"] == "call"
    assert office.cleo.get(path)["type"] == "email"
    listed = office.cleo.get("/actions", scope="all", status="withdrawn")["items"]
    assert [one["type"] for one in listed] == ["email"]


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
    [disputed_twice, paused_invoice, broken_promise, plan_changed_and_given_back,
     covered_by_credit],
)  # fmt: skip
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


def test_another_owner_gets_nothing_of_it(office: Office) -> None:
    path = bens_draft(office)
    dispute(office)
    office.billing.does("PUT", "/customers/C-1", acme_body(members=["cleo@amber.example"]))
    settle(office)
    (cleos,) = office.cleo.get("/actions")["items"]
    seen = office.cleo.get(f"/actions/{cleos['id']}")
    assert (seen["note"], seen["attachments"]) == ("", [])
    assert seen["texts"]["body"] == "This is serious."
    assert OWN not in everything(office.cleo, f"/actions/{cleos['id']}")
    assert office.ben.get(path)["note"] == EDITS["note"]  # still his to read


def test_what_is_handed_over_is_handed_over_whole(office: Office) -> None:
    path = bens_draft(office)
    office.ben.does("POST", f"{path}/reassign", {"to": "cleo@amber.example"})
    assert office.cleo.get(path)["note"] == EDITS["note"]
    dispute(office)
    assert office.cleo.get(path)["note"] == EDITS["note"]
    assert OWN not in everything(office.ben, path)  # it is Cleo's since then
    settle(office)
    assert bens_open(office)["note"] == ""  # rule 33: Ben's again, without what is Cleo's


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


def test_an_automatic_step_leaves_in_the_plans_words_and_shows_nobodys_draft(
    office: Office,
) -> None:
    """A draft is not sent without its owner: the contact is corrected, the step is automatic."""
    path = automatic_to_do(office)
    office.ben.does("PATCH", path, EDITS)
    office.cleo.does("PATCH", "/customers/C-1/contacts/eve", {"email": "new@acme.example"})
    assert office.review() == "wait"
    (planned,) = office.cleo.get("/actions", scope="all", status="planned")["items"]
    seen = office.cleo.get(f"/actions/{planned['id']}")
    assert [r["address"] for r in seen["message"]["recipients"]] == ["new@acme.example"]
    assert OWN not in everything(office.cleo, path)
    # Nobody to send it to again: it is Ben's, and as he had left it.
    office.cleo.does("PATCH", "/customers/C-1/contacts/eve", {"email_invalid": "left"})
    office.at("2025-03-05 08:30")
    office.review()
    assert bens_open(office)["note"] == EDITS["note"]


def automatic_to_do(office: Office) -> str:
    office.acme()
    office.cleo.does("PATCH", "/customers/C-1/contacts/eve", {"email_invalid": "left"})
    office.at("2025-03-04 08:30")
    office.review()
    return f"/actions/{bens_open(office)['id']}"


def test_of_a_skipped_action_others_learn_the_reason_alone(office: Office) -> None:
    path = bens_draft(office)
    office.ben.does("POST", f"{path}/skip", {"reason": "they have paid by cheque"})
    for who in (office.ada, office.cleo):
        assert who.get(path)["reason"] == "they have paid by cheque"
        assert OWN not in everything(who, path)
    assert office.ben.get(path)["note"] == EDITS["note"]


@pytest.mark.parametrize("how", How)
def test_what_is_ended_by_hand_keeps_its_owners_note(office: Office, how: How) -> None:
    path = f"/actions/{office.bens_call()['id']}"
    office.ben.does("PATCH", path, {"note": "call after lunch"})
    customer = uuid.UUID(office.ben.get("/customers/C-1")["id"])
    with transaction(office.engine) as session:
        unit = Unit(session, office.id, by="Ops")
        assert work_open_action(unit, load(unit, customer), how, "")
    seen = office.ben.get(path)
    assert (seen["note"], seen["ended_by"]) == ("call after lunch", "Ops")
    assert ("call after lunch" in str(office.cleo.get(path))) == (how is How.COMPLETE)
