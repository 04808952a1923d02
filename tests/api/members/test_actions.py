"""Working actions: rules 27 to 32."""

from __future__ import annotations

from typing import Any

from stand_ins.office import Office, invoice_body, payment_body
from tests.cast.bens_actions import bens_letter


def test_an_owner_completes_a_call(office: Office) -> None:
    action = office.bens_call()
    assert (action["name"], action["type"], action["automatic"]) == ("Call them", "call", False)
    seen = office.ben.get(f"/actions/{action['id']}")
    assert seen["message"]["text"] == "Ask Eve about 2025-001."
    assert seen["message"]["recipients"] == [
        {"role": "to", "address": "+33 1 23 45 67", "name": "Eve"}
    ]
    assert seen["customer_detail"]["name"] == "Acme"
    assert seen["invoice_detail"]["balance"] == "100.00"
    done = office.ben.does("POST", f"/actions/{action['id']}/complete", {"note": "Pays on Friday"})
    assert (done["status"], done["note"], done["ended_by"]) == ("done", "Pays on Friday", "Ben")
    assert office.ben.get("/actions")["items"] == []
    assert office.nudges() == ["complete"]
    # A double click, and Ben's second window: told who and when (rule 31).
    again = office.ben.fails(409, "POST", f"/actions/{action['id']}/complete", {})
    assert "Ben" in again["detail"]
    assert "2025-03-11" in again["detail"]
    office.ben.fails(409, "POST", f"/actions/{action['id']}/skip", {"reason": "late"})
    assert office.nudges() == []


def test_a_balance_that_changed_is_told_before_completing(office: Office) -> None:
    path = f"/actions/{office.bens_call()['id']}"
    office.billing.does("PUT", "/payments/P-1", payment_body("40.00"))
    told = office.ben.fails(409, "POST", f"{path}/complete", {"seen_balance": "100.00"})
    assert "60" in told["detail"]
    assert office.ben.get(path)["status"] == "to_do"
    done = office.ben.does("POST", f"{path}/complete", {"seen_balance": "60.00"})
    assert done["status"] == "done"


def test_a_call_whose_invoice_was_paid_has_no_reason_any_more(office: Office) -> None:
    path = f"/actions/{office.bens_call()['id']}"
    office.billing.does("PUT", "/payments/P-1", payment_body())
    told = office.ben.fails(409, "POST", f"{path}/complete", {})
    assert "is paid" in told["detail"]
    office.review()
    assert office.ben.get(path)["status"] == "withdrawn"


def test_skipping_asks_for_a_reason(office: Office) -> None:
    path = f"/actions/{office.bens_call()['id']}"
    office.ben.fails(422, "POST", f"{path}/skip")
    office.ben.fails(422, "POST", f"{path}/skip", {"reason": ""})
    office.ben.fails(422, "POST", f"{path}/skip", {"reason": "   "})
    assert office.ben.does("POST", f"{path}/skip", {"reason": "on holiday"})["status"] == "skipped"
    assert office.nudges() == ["skip"]


def test_a_paused_customer_hides_the_call_and_does_not_cancel_it(office: Office) -> None:
    path = f"/actions/{office.bens_call()['id']}"
    office.ben.does("POST", "/customers/C-1/pause", {"until": "2025-03-14"})
    assert office.ben.get("/actions")["items"] == []
    assert "paused" in office.ben.fails(409, "POST", f"{path}/complete", {})["detail"]
    office.at("2025-03-14 00:10")
    assert len(office.ben.get("/actions")["items"]) == 1
    office.ben.does("POST", f"{path}/complete")


def test_an_email_is_edited_and_leaves_from_ben(office: Office) -> None:
    """Rule 28: everything about an open action can be changed before completing."""
    path = bens_letter(office)
    seen = office.ben.get(path)
    assert seen["message"]["sender_address"] == "ben@amber.example"
    assert seen["message"]["text"] == "This is serious."
    assert seen["texts"] == {"subject": "{{ invoice.number }}", "body": "This is serious."}
    edited = office.ben.does(
        "PATCH",
        path,
        {
            "recipients": ["cfo@acme.example"],
            "cc": ["ada@amber.example"],
            "subject": "About {{ invoice.number }}",
            "body": "{{ invoice.balance }} please.",
            "note": "the CFO asked for it",
        },
    )
    assert edited["message"]["subject"] == "About 2025-001"
    assert edited["message"]["text"] == "€100.00 please."
    assert [r["address"] for r in edited["message"]["recipients"]] == [
        "cfo@acme.example",
        "ada@amber.example",
    ]
    leaving = office.ben.does("POST", f"{path}/complete", {"seen_balance": "100.00"})
    assert (leaving["status"], leaving["completed_at"] is not None) == ("to_do", True)
    assert office.ben.get("/actions")["items"] == []  # nothing is left for Ben to do
    assert "Ben completed" in office.ben.fails(409, "POST", f"{path}/complete", {})["detail"]
    office.send()
    done = office.ada.get(path)
    assert (done["status"], done["delivery"]["status"]) == ("done", "accepted")
    office.billing.does("PUT", "/payments/P-1", payment_body())
    assert office.ada.get(path)["message"] == edited["message"]  # frozen, whatever happens
    (sent, _) = office.ada.get("/outbox")["items"]
    assert (sent["sender"], sent["subject"]) == ("ben@amber.example", "About 2025-001")
    whole = office.cleo.get(f"/outbox/{sent['delivery_id']}")
    assert whole["text"] == "€100.00 please."


def test_the_planned_type_stays_on_record(office: Office) -> None:
    path = bens_letter(office)
    edited = office.ben.does("PATCH", path, {"type": "call", "body": "Ring {{ contact.name }}."})
    assert (edited["planned_type"], edited["type"]) == ("email", "call")
    assert edited["message"]["text"] == "Ring Eve."
    done = office.ben.does("POST", f"{path}/complete")
    assert (done["status"], done["planned_type"], done["type"]) == ("done", "email", "call")


def test_an_edit_that_makes_no_sense_is_refused_with_its_place(office: Office) -> None:
    path = bens_letter(office)

    def where(body: dict[str, Any]) -> str:
        return str(office.ben.fails(422, "PATCH", path, body)["errors"][0]["where"])

    assert where({"body": "{{ customer.secret }}"}) == "/body"
    assert where({"body": "{% for"}) == "/body"
    assert where({"subject": "{{ 'x' * 9 }}"}) == "/subject"
    assert where({"subject": "a\nb"}) == "/subject"
    assert where({"recipients": ["eve@acme.example", "eve"]}) == "/recipients/1"
    assert where({"recipients": ["eve@acme.example\r\nBcc: x@y.example"]}) == "/recipients/0"
    assert where({"cc": ["nobody"]}) == "/cc/0"
    assert where({"type": "sms", "recipients": ["0123"]}) == "/recipients/0"
    assert where({"type": "fax"}) == "/type"
    assert where({"recipients": []}) == "/recipients"
    assert where({"owner": "cleo@amber.example"}) == "/owner"
    seen = office.ben.get(path)
    assert (seen["type"], seen["message"]["text"]) == ("email", "This is serious.")


def test_completing_an_email_without_recipients_is_refused(office: Office) -> None:
    path = bens_letter(office)
    marked = {"email_invalid": "left the company"}
    office.ben.does("PATCH", "/customers/C-1/contacts/eve", marked)
    seen = office.ben.get(path)
    assert seen["message"] is None
    assert "nobody to send to" in seen["message_problem"]
    assert seen["flagged_contacts"] == ["Eve"]
    told = office.ben.fails(409, "POST", f"{path}/complete", {})
    assert "nobody to send it to" in told["detail"]
    assert office.ben.get(path)["completed_at"] is None
    office.ben.does("PATCH", path, {"recipients": ["new@acme.example"]})
    office.ben.does("POST", f"{path}/complete")


def test_an_owner_hands_a_call_to_another_member(office: Office) -> None:
    path = f"/actions/{office.bens_call()['id']}"
    office.ben.fails(404, "POST", f"{path}/reassign", {"to": "nobody@amber.example"})
    office.ben.does("POST", f"{path}/reassign", {"to": "cleo@amber.example"})
    office.ben.fails(404, "GET", path)
    assert office.ben.get("/actions")["items"] == []
    assert office.cleo.get(path)["owner"]["name"] == "Cleo"


def test_a_planned_reminder_shows_what_would_be_sent(office: Office) -> None:
    office.acme(due_on="2025-03-10")
    office.billing.does(
        "PUT",
        "/invoices/INV-0",
        invoice_body(number="2025-000", issued_on="2025-02-20", due_on="2025-04-30", total="7.50"),
    )
    assert office.review() == "wait"
    assert office.cleo.get("/actions")["items"] == []
    (planned,) = office.cleo.get("/actions", scope="all", automatic=True)["items"]
    assert (planned["status"], planned["planned_for"]) == ("planned", "2025-03-11T07:30:00Z")
    seen = office.cleo.get(f"/actions/{planned['id']}")
    assert seen["message"]["text"] == "Please pay €100.00, Eve."
    assert [i["number"] for i in seen["other_open_invoices"]] == ["2025-000"]
    assert seen["other_open_invoices"][0]["balance"] == "7.50"
    office.cleo.fails(404, "POST", f"/actions/{planned['id']}/complete", {})
    office.billing.does("PUT", "/payments/P-1", payment_body())
    gone = office.cleo.get(f"/actions/{planned['id']}")
    assert (gone["message"], gone["message_problem"]) == (None, "2025-001 is paid")


def test_lists_come_in_pages(office: Office) -> None:
    office.ada.does(
        "PUT",
        "/plans/Standard",
        {"steps": [{"key": "call", "type": "call", "trigger": {"from": "due", "days": 1}}]},
    )
    for n in range(5):
        customer = {"name": f"Customer {n}", "members": ["ben@amber.example"]}
        office.billing.does("PUT", f"/customers/C-{n}", customer)
        office.billing.does("PUT", f"/invoices/I-{n}", invoice_body(customer=f"C-{n}"))
        office.review(f"C-{n}")
    names, cursor = [], None
    for _ in range(3):
        page = office.ben.get("/actions", limit=2, **({"cursor": cursor} if cursor else {}))
        names += [a["customer"]["name"] for a in page["items"]]
        cursor = page["next_cursor"]
    assert (names, cursor) == ([f"Customer {n}" for n in range(5)], None)
    one = office.ben.get("/actions", customer="C-3")["items"]
    assert [a["customer"]["external_id"] for a in one] == ["C-3"]
