"""Rule 28: an owner changes the type of an action. The words of a call or a task are for us, and
reach no customer, however often and in whatever order the type is changed."""

from __future__ import annotations

import uuid

import pytest

from backoffice.delivery.completing import work_open_action
from backoffice.worklist.working import How
from stand_ins.office import Office
from store import tables as t
from store.engine import transaction
from store.load import load
from store.unit import Unit
from tests.cast.bens_actions import bens_letter


@pytest.mark.parametrize("kind", ["email", "sms", "letter"])
def test_a_call_that_becomes_a_message_needs_texts_of_its_own(office: Office, kind: str) -> None:
    path = f"/actions/{office.bens_call()['id']}"
    told = office.ben.fails(422, "PATCH", path, {"type": kind})
    wanted = ["/body"] if kind == "sms" else ["/subject", "/body"]
    assert [e["where"] for e in told["errors"]] == wanted
    assert f"write those of the {kind} for the customer" in told["detail"]
    assert office.ben.get(path)["type"] == "call"
    words = {"type": kind, "subject": "{{ invoice.number }}", "body": "Dear {{ contact.name }}."}
    changed = office.ben.does("PATCH", path, words)
    assert (changed["planned_type"], changed["type"]) == ("call", kind)
    assert changed["texts"]["body"] == "Dear {{ contact.name }}."


def test_an_empty_text_takes_the_built_in_one(office: Office) -> None:
    path = f"/actions/{office.bens_call()['id']}"
    changed = office.ben.does("PATCH", path, {"type": "email", "subject": "", "body": ""})
    assert "Ask Eve" not in changed["message"]["text"] + changed["message"]["subject"]
    assert "INV" in changed["message"]["text"] or "2025-001" in changed["message"]["text"]


def test_a_script_that_its_owner_wrote_does_not_leave_after_two_changes(office: Office) -> None:
    """Call, email, call with another script, email: the email keeps its own words, and the call
    its script."""
    path = f"/actions/{office.bens_call()['id']}"
    office.ben.does("PATCH", path, {"body": "They always lie. Be firm."})
    told = office.ben.fails(422, "PATCH", path, {"type": "email", "subject": "Hello"})
    assert [e["where"] for e in told["errors"]] == ["/body"]
    office.ben.does("PATCH", path, {"type": "email", "subject": "Hello", "body": "Please pay."})
    back = office.ben.does("PATCH", path, {"type": "call"})
    assert back["message"]["text"] == "They always lie. Be firm."
    office.ben.does("PATCH", path, {"body": "Threaten them.", "subject": "Threats"})
    email = office.ben.does("PATCH", path, {"type": "email"})
    assert (email["message"]["subject"], email["message"]["text"]) == ("Hello", "Please pay.")
    assert office.ben.does("POST", f"{path}/complete")["message"]["text"] == "Please pay."
    assert "lie" not in email["message"]["html"]


def test_an_email_made_a_call_and_an_email_again_has_its_own_words(office: Office) -> None:
    path = bens_letter(office)
    office.ben.does("PATCH", path, {"type": "call", "body": "Ask what is wrong with them."})
    email = office.ben.does("PATCH", path, {"type": "email"})
    assert email["message"]["text"] == "This is serious."
    office.ben.does("PATCH", path, {"body": "Kinder words."})
    assert office.ben.does("PATCH", path, {"type": "call"})["message"]["text"] == (
        "Ask what is wrong with them."
    )
    assert office.ben.does("PATCH", path, {"type": "sms"})["texts"]["body"] == "Kinder words."


def test_a_task_without_a_step_needs_texts_of_its_own_too(office: Office) -> None:
    """The task of an exhausted plan."""
    path = bens_letter(office)
    office.ben.does("POST", f"{path}/skip", {"reason": "enough"})
    office.review()
    (task,) = office.ben.get("/actions")["items"]
    assert (task["type"], task["step"]) == ("task", None)
    path = f"/actions/{task['id']}"
    office.ben.fails(422, "PATCH", path, {"type": "email"})
    office.ben.does("PATCH", path, {"type": "email", "subject": "S", "body": "B", "note": "idiots"})
    message = office.ben.get(path)["message"]
    assert (message["subject"], message["text"]) == ("S", "B")
    assert "idiots" not in message["html"]


def test_an_older_edit_without_texts_of_its_own_does_not_leave(
    office: Office,
) -> None:
    """An action that an earlier version changed: told when it is completed, and never sent by an
    order by hand either."""
    action = office.bens_call()
    path = f"/actions/{action['id']}"
    with transaction(office.engine) as session:
        session.get_one(t.Action, uuid.UUID(action["id"])).executed_type = "email"
    told = office.ben.fails(422, "POST", f"{path}/complete")
    assert [e["where"] for e in told["errors"]] == ["/subject", "/body"]
    with transaction(office.engine) as session:
        row = session.get_one(t.Action, uuid.UUID(action["id"]))
        loaded = load(Unit(session, office.id), row.customer_id)
        assert work_open_action(
            Unit(session, loaded.organisation.id, office.now, by="by hand"),
            loaded,
            How.COMPLETE,
            "",
        )
    assert office.review() == "send"
    assert office.send() == "await_owner"
    seen = office.ben.get(path)
    assert (seen["status"], seen["cause"]) == ("to_do", "rejected")
    assert "internal" in seen["reason"]
    (mail,) = office.ben.get("/outbox")["items"]  # the reminder of before
    assert "Ask Eve" not in str(mail)
