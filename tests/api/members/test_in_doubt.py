"""A message in doubt, and the three answers of its owner (rule 36)."""

from __future__ import annotations

import uuid

import pytest

from dunning.delivery import DeliveryFact
from stand_ins.office import Office, payment_body
from tests.cast.in_doubt import in_doubt, report


def test_only_the_owner_may_answer_for_a_message_in_doubt(office: Office) -> None:
    path = in_doubt(office)
    seen = office.ben.get(path)
    assert (seen["status"], seen["cause"]) == ("needs_review", "unknown_outcome")
    assert seen["answers"] == ["it_was_sent", "send_again", "give_up"]
    assert (seen["delivery"]["look_ups"], seen["delivery"]["next_look_up"]) == (1, None)
    for answer in seen["answers"]:
        for who in (office.ada, office.cleo):
            who.fails(404, "POST", f"{path}/answer", {"answer": answer})
        office.billing.fails(403, "POST", f"{path}/answer", {"answer": answer})
    office.ben.fails(409, "PATCH", path, {"body": "Other words."})
    office.ben.fails(409, "POST", f"{path}/attachments", files={"file": ("a.pdf", b"%PDF-")})
    office.ben.fails(422, "POST", f"{path}/answer", {"answer": "perhaps"})
    assert office.ben.get(path) == seen


def test_a_message_in_doubt_was_sent(office: Office) -> None:
    path = in_doubt(office)
    done = office.ben.does(
        "POST", f"{path}/answer", {"answer": "it_was_sent", "note": "Eve has it"}
    )
    assert (done["status"], done["note"], done["ended_by"]) == ("done", "Eve has it", "Ben")
    assert (done["delivery"]["status"], done["answers"]) == ("accepted", [])
    assert done["message"]["text"] == "This is serious."
    assert office.nudges() == ["complete"]
    for answer in ("it_was_sent", "send_again", "give_up"):
        office.ben.fails(409, "POST", f"{path}/answer", {"answer": answer})
    assert office.review() == "rest"  # it was a contact, and the last step


def test_a_message_in_doubt_is_sent_again(office: Office) -> None:
    path = in_doubt(office)
    office.billing.does("PUT", "/payments/P-1", payment_body("40.00"))
    office.nudges()
    again = {"answer": "send_again", "seen_balance": "100.00"}
    assert "60" in office.ben.fails(409, "POST", f"{path}/answer", again)["detail"]
    leaving = office.ben.does("POST", f"{path}/answer", {**again, "seen_balance": "60.00"})
    assert (leaving["status"], leaving["delivery"]["status"]) == ("to_do", "planned")
    assert (leaving["answers"], leaving["completed_at"] is not None) == ([], True)
    assert office.nudges() == ["complete"]
    office.ben.fails(409, "POST", f"{path}/answer", again)
    office.send()
    done = office.cleo.get(path)
    assert (done["status"], done["delivery"]["status"]) == ("done", "accepted")
    assert (done["delivery"]["sends"], done["delivery"]["provider"]) == (2, "outbox")
    assert office.cleo.get("/outbox")["items"][0]["delivery_id"] == done["delivery"]["id"]


def test_a_message_without_a_reason_to_send_is_not_sent_again(office: Office) -> None:
    path = in_doubt(office)
    office.ben.does("POST", "/invoices/INV-1/dispute")
    told = office.ben.fails(409, "POST", f"{path}/answer", {"answer": "send_again"})
    assert "disputed" in told["detail"]
    office.billing.does("PUT", "/payments/P-1", payment_body())
    told = office.ben.fails(409, "POST", f"{path}/answer", {"answer": "send_again"})
    assert "is paid" in told["detail"]
    assert office.ben.get(path)["answers"] != []
    done = office.ben.does("POST", f"{path}/answer", {"answer": "it_was_sent"})
    assert done["status"] == "done"


def test_a_message_in_doubt_is_given_up(office: Office) -> None:
    path = in_doubt(office)
    told = office.ben.does("POST", f"{path}/answer", {"answer": "give_up", "note": "  "})
    assert (told["status"], told["reason"]) == ("skipped", "given up")
    assert told["delivery"]["status"] == "abandoned"
    assert told["message"]["text"] == "This is serious."  # which may have left
    assert office.nudges() == ["skip"]
    report(
        office, path, DeliveryFact.RECEIVED
    )  # it had left: that is on record, and Ben's word stands
    late = office.ben.get(path)
    assert (late["status"], late["delivery"]["status"]) == ("skipped", "accepted")


@pytest.mark.parametrize("answer", ["it_was_sent", "give_up"])
def test_a_message_in_doubt_is_answered_while_the_customer_is_paused(
    office: Office, answer: str
) -> None:
    """It stays in its owner's list, because the message may have left already; only sending it
    again has to wait for the end of the pause."""
    path = in_doubt(office)
    office.ben.does("POST", "/customers/C-1/pause", {"until": "2025-12-01", "reason": "ill"})
    (listed,) = office.ben.get("/actions")["items"]
    assert f"/actions/{listed['id']}" == path
    assert office.ben.get(path)["answers"] == ["it_was_sent", "give_up"]
    told = office.ben.fails(409, "POST", f"{path}/answer", {"answer": "send_again"})
    assert "paused" in told["detail"]
    office.ben.does("POST", f"{path}/reassign", {"to": "cleo@amber.example"})
    done = office.cleo.does("POST", f"{path}/answer", {"answer": answer})
    assert done["status"] == {"it_was_sent": "done", "give_up": "skipped"}[answer]
    assert office.cleo.get("/actions")["items"] == []


def test_a_message_in_doubt_waits_for_its_answer_after_its_invoice_is_paid(office: Office) -> None:
    path = in_doubt(office)
    office.billing.does("PUT", "/payments/P-1", payment_body())
    assert office.review() == "rest"
    (listed,) = office.ben.get("/actions")["items"]
    assert (f"/actions/{listed['id']}", listed["status"]) == (path, "needs_review")
    assert office.ben.get(path)["answers"] == ["it_was_sent", "give_up"]
    assert office.ben.does("POST", f"{path}/answer", {"answer": "give_up"})["status"] == "skipped"


def test_only_what_is_in_doubt_is_answered(office: Office) -> None:
    path = f"/actions/{office.bens_call()['id']}"
    for answer in ("it_was_sent", "send_again", "give_up"):
        told = office.ben.fails(409, "POST", f"{path}/answer", {"answer": answer})
        assert "not in doubt" in told["detail"]
        office.cleo.fails(404, "POST", f"{path}/answer", {"answer": answer})
        nothing = f"/actions/{uuid.uuid4()}/answer"
        office.ben.fails(404, "POST", nothing, {"answer": answer})
    seen = office.ben.get(path)
    assert (seen["status"], seen["answers"]) == ("to_do", [])
