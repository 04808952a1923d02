"""What became of a message: recipient by recipient, in doubt, and answered."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import select

from activities.outbox_channels import outbox_channels
from activities.sending import Sending
from api.outside.webhooks import Signers
from backoffice.delivery.outcomes import apply as apply_report
from backoffice.delivery.outgoing import Outgoing
from backoffice.delivery.replies import take
from dunning.delivery import DeliveryFact
from dunning.learnt import CameIn, Reply, Report
from dunning.plan import ActionType
from messages.message import Message
from providers.port import Ambiguous, LookUp, NotFound, Result
from stand_ins.office import Office, acme_body, invoice_body, payment_body
from store import tables as t
from store.engine import transaction
from tests.api.members.test_actions import bens_letter
from workflows.contracts import SendInput

PUBLIC = "https://dunning.example"


class Loses:
    """An email provider whose answers are lost, and that finds nothing."""

    name = account = "loses"
    signers = ()
    type = ActionType.EMAIL
    idempotent = False

    def send(self, message: Message) -> Result:
        return Ambiguous("the connection was closed")

    def look_up(self, message: Message, since: datetime) -> LookUp:
        return NotFound()


def order(office: Office) -> SendInput:
    customer = office.ben.get("/customers/C-1")["id"]
    return SendInput(str(office.id), customer, office.now, "email")


def losing(office: Office, minutes: float) -> Sending:
    channels = {ActionType.EMAIL: Loses()}
    after = [timedelta(minutes=minutes)]
    return Sending(
        office.engine,
        Outgoing(channels, channels, lambda: office.now, look_up_after=after),
    )


def in_doubt(office: Office) -> str:
    """Ben's email was sent, and nobody knows whether it left. Answers its path."""
    path = bens_letter(office)
    office.ben.does("POST", f"{path}/complete")
    sending = losing(office, 0)
    sending.send_email(order(office))
    assert sending.look_up(order(office)).state == "await_owner"
    office.nudges()
    return path


def report(
    office: Office, path: str, fact: DeliveryFact, address: str = "", **more: Any
) -> datetime:
    """What the worker does with a provider's report. Answers its time."""
    at = office.now - timedelta(minutes=1)
    delivery = office.ben.get(path)["delivery"]
    with transaction(office.engine) as session:
        made = Report(fact=fact, at=at, delivery_id=delivery["id"], address=address, **more)
        came_in = CameIn(provider=delivery["provider"])
        assert apply_report(session, made, came_in, datetime.now(UTC))
    return at


def test_each_recipient_has_its_own_fate(office: Office) -> None:
    path = bens_letter(office)
    office.ben.does("PATCH", path, {
        "recipients": ["eve@acme.example", "CFO@acme.example"], "cc": ["ada@amber.example"],
    })  # fmt: skip
    office.ben.does("POST", f"{path}/complete")
    office.send()
    office.at("2025-03-18 11:00")
    sent = office.cleo.get(path)["delivery"]
    assert (sent["status"], sent["sends"], sent["look_ups"]) == ("accepted", 1, 0)
    assert (sent["next_look_up"], sent["tracking_number"]) == (None, "")
    assert re.fullmatch("[0-9a-f]{64}", sent["content_hash"])
    assert [(r["role"], r["address"], r["status"]) for r in sent["recipients"]] == [
        ("to", "CFO@acme.example", "sent"), ("to", "eve@acme.example", "sent"),
        ("cc", "ada@amber.example", "sent"),
    ]  # fmt: skip
    at = report(office, path, DeliveryFact.OPENED, "EVE@acme.example")
    report(office, path, DeliveryFact.OPENED_BY_MACHINE, "ada@amber.example")
    report(office, path, DeliveryFact.BOUNCED, "cfo@acme.example", reason="no such mailbox")
    cfo, eve, ada = office.cleo.get(path)["delivery"]["recipients"]
    assert (cfo["status"], cfo["reason"]) == ("bounced", "no such mailbox")
    assert (eve["status"], eve["reason"], cfo["opened_at"]) == ("opened", "", None)
    assert datetime.fromisoformat(eve["opened_at"]) == at
    assert (ada["status"], ada["opened_at"]) == ("sent", None)
    assert ada["machine_opened_at"] is not None


def test_a_letter_on_its_way_has_a_number(office: Office) -> None:
    path = bens_letter(office)
    office.ben.does("POST", f"{path}/complete")
    office.send()
    report(office, path, DeliveryFact.SENT, tracking_number="9400 1")
    assert office.cleo.get(path)["delivery"]["tracking_number"] == "9400 1"


def test_while_the_provider_is_asked_the_page_says_when(office: Office) -> None:
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


def test_its_owner_alone_is_asked(office: Office) -> None:
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


def test_it_was_sent(office: Office) -> None:
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


def test_send_it_again(office: Office) -> None:
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


def test_what_has_no_reason_any_more_is_not_sent_again(office: Office) -> None:
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


def test_give_it_up(office: Office) -> None:
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
def test_it_is_answered_while_the_customer_is_paused(office: Office, answer: str) -> None:
    """It stays in its owner's list, because it is no contact that is planned but one that may have
    been; only what would leave waits for the end of the pause."""
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


def test_it_waits_for_its_answer_after_its_invoice_is_paid(office: Office) -> None:
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


def test_a_sender_of_another_domain_is_told_before_it_leaves(office: Office) -> None:
    path = bens_letter(office)
    office.ada.does("PATCH", "/organisation", {"sender_domains": ["Mail.Amber.example"]})
    told = office.ben.fails(422, "POST", f"{path}/complete", {})
    assert told["type"] == "urn:dunning:problem:sender-not-verified"
    assert "ben@amber.example" in told["detail"]
    assert office.ben.get(path)["completed_at"] is None
    both = ["mail.amber.example", "amber.example"]
    office.ada.does("PATCH", "/organisation", {"sender_domains": both})
    office.ben.does("POST", f"{path}/complete")


# SMS: what they cost, and the short link in them.

URL = "https://pay.amber.example/invoices/2025-001?token=0123456789abcdef0123456789abcdef"


@pytest.fixture
def public(app: FastAPI) -> Iterator[None]:
    before = app.state.signers
    app.state.signers = Signers(public_url=PUBLIC)
    yield
    app.state.signers = before


def bens_sms(office: Office, body: str) -> str:
    office.ada.does("PUT", "/plans/Standard", {"name": "Standard", "steps": [
        {"key": "sms", "name": "A short one", "type": "sms", "owner": "assigned",
         "trigger": {"from": "due", "days": 1}, "body": body},
    ]})  # fmt: skip
    contact = {"external_id": "eve", "name": "Eve", "phone": "+33 6 12 34 56 78"}
    office.billing.does("PUT", "/customers/C-1", acme_body() | {"contacts": [contact]})
    office.billing.does("PUT", "/invoices/INV-1", invoice_body(url=URL))
    assert office.review() == "await_owner"
    (action,) = office.ben.get("/actions")["items"]
    return f"/actions/{action['id']}"


def test_an_sms_says_what_it_costs(office: Office) -> None:
    path = bens_sms(office, "Please pay.")
    seen = office.ben.get(path)["message"]
    assert (seen["segments"], seen["encoding"], seen["attachments"]) == (1, "GSM-7", [])
    long = office.ben.does("PATCH", path, {"body": "x" * 161})["message"]
    assert (long["segments"], long["encoding"]) == (2, "GSM-7")
    letters = office.ben.does("PATCH", path, {"body": "Réglez ç" + "x" * 63})["message"]
    assert (letters["segments"], letters["encoding"]) == (2, "UCS-2")
    email = office.ben.does("PATCH", path, {"type": "call"})["message"]
    assert (email["segments"], email["encoding"]) == (None, None)


def test_a_preview_is_as_long_as_what_is_sent(office: Office, public: None) -> None:
    path = bens_sms(office, "See {{ invoice.url }}")
    seen = office.ben.get(path)["message"]
    assert seen["text"] == f"See {PUBLIC}/l/preview-preview-"
    office.ben.does("POST", f"{path}/complete")
    channels = outbox_channels(office.engine, None)
    sending = Sending(
        office.engine,
        Outgoing(channels, channels, lambda: office.now, public_url=PUBLIC),
    )
    customer = office.ben.get("/customers/C-1")["id"]
    sending.send_sms(SendInput(str(office.id), customer, office.now, "sms"))
    sent = office.ben.get(path)["message"]
    assert re.fullmatch(rf"See {PUBLIC}/l/[\w-]{{16}}", sent["text"])
    assert sent["text"] != seen["text"]
    assert (len(sent["text"]), sent["segments"]) == (len(seen["text"]), seen["segments"])
    with transaction(office.engine) as session:
        token = sent["text"].rpartition("/")[2]
        assert session.get_one(t.Link, token).target == URL
        previews = select(t.Link).where(t.Link.token == "preview-preview-")
        assert session.exec(previews).all() == []


def test_without_a_public_address_the_page_itself_is_shown(office: Office) -> None:
    path = bens_sms(office, "See {{ invoice.url }}")
    assert office.ben.get(path)["message"]["text"] == f"See {URL}"


def test_an_email_links_to_the_page_itself(office: Office, public: None) -> None:
    path = bens_letter(office)
    office.billing.does("PUT", "/invoices/INV-1", invoice_body(url=URL))
    seen = office.ben.does("PATCH", path, {"body": "See {{ invoice.url }}"})
    assert seen["message"]["text"] == f"See {URL}"


# What they write back.


def wrote(office: Office, text: str, *, delivery: str = "", automatic: bool = False) -> None:
    """What the worker does with a reply of Eve's."""
    reply = Reply(
        at=office.now, sender="eve@acme.example", to="", subject="Re: 2025-001", text=text,
        provider_id=text, reference=delivery, automatic=automatic,
    )  # fmt: skip
    with transaction(office.engine) as session:
        assert take(session, reply, CameIn(organisation_id=office.id), datetime.now(UTC)) == ""


def test_replies_newest_first_in_pages(office: Office) -> None:
    path = bens_letter(office)
    office.ben.does("POST", f"{path}/complete")
    office.send()
    delivery = office.ben.get(path)["delivery"]["id"]
    for minute, text in enumerate(("one", "two", "three", "four", "five")):
        office.at(f"2025-03-18 1{minute % 2}:30")  # some at the very same time
        wrote(office, text, delivery=delivery, automatic=text == "two")
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(3):
        more = {"cursor": cursor} if cursor else {}
        page = office.cleo.get("/customers/C-1/replies", limit=2, **more)
        found += page["items"]
        cursor = page["next_cursor"]
    assert cursor is None
    assert {r["text"] for r in found[:2]} == {"two", "four"}
    assert {r["text"] for r in found[2:]} == {"one", "three", "five"}
    (two,) = [r for r in found if r["text"] == "two"]
    assert (two["automatic"], two["channel"], two["sender"]) == (True, "email", "eve@acme.example")
    assert (two["subject"], two["delivery_id"]) == ("Re: 2025-001", delivery)
    assert path.endswith(two["action_id"])
    office.billing.fails(403, "GET", "/customers/C-1/replies")
    office.ben.fails(404, "GET", "/customers/C-9/replies")
    for wrong in ("x", "MQ", "MjAyNS0wMy0xOCB4"):
        office.ben.fails(422, "GET", "/customers/C-1/replies", params={"cursor": wrong})


def test_a_reply_does_not_give_away_whose_action_it_answers(office: Office) -> None:
    path = in_doubt(office)
    wrote(office, "I have it", delivery=office.ben.get(path)["delivery"]["id"])
    for who, seen in ((office.ben, True), (office.cleo, False), (office.ada, False)):
        (reply,) = who.get("/customers/C-1/replies")["items"]
        assert reply["text"] == "I have it"
        assert (reply["action_id"] is not None, reply["delivery_id"] is not None) == (seen, seen)
    other = Office(office.engine, office.client)
    other.ben.fails(404, "GET", "/customers/C-1/replies")
