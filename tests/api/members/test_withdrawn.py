"""An action that is withdrawn or skipped stays its owner's."""

from __future__ import annotations

import pytest

from backoffice.delivery.completing import work_open_action
from backoffice.worklist.working import How
from stand_ins.office import Office, acme_body
from store.engine import transaction
from store.load import load
from store.unit import Unit
from tests.cast.bens_actions import bens_letter
from tests.cast.bens_draft import (
    EDITS,
    OWN,
    bens_draft,
    bens_open,
    dispute,
    everything,
    settle,
)
from tests.cast.office_files import names


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


def test_another_owner_does_not_get_the_draft(office: Office) -> None:
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


def test_an_action_is_handed_over_with_its_draft(office: Office) -> None:
    path = bens_draft(office)
    office.ben.does("POST", f"{path}/reassign", {"to": "cleo@amber.example"})
    assert office.cleo.get(path)["note"] == EDITS["note"]
    dispute(office)
    assert office.cleo.get(path)["note"] == EDITS["note"]
    assert OWN not in everything(office.ben, path)  # it is Cleo's since then
    settle(office)
    assert bens_open(office)["note"] == ""  # rule 33: Ben's again, without what is Cleo's


def test_an_automatic_step_leaves_in_the_plans_words_and_shows_nobodys_draft(
    office: Office,
) -> None:
    """The contact is corrected and the step is automatic again: the owner's draft is not sent."""
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
    customer = office.customer_id("C-1")
    with transaction(office.engine) as session:
        unit = Unit(session, office.id, by="Ops")
        assert work_open_action(unit, load(unit, customer), how, "")
    seen = office.ben.get(path)
    assert (seen["note"], seen["ended_by"]) == ("call after lunch", "Ops")
    assert ("call after lunch" in str(office.cleo.get(path))) == (how is How.COMPLETE)
