"""Messages that Ben has to send to Acme. Each function returns the path of the action."""

from __future__ import annotations

from typing import Any

from stand_ins.office import Office, acme_body, invoice_body

URL = "https://pay.amber.example/invoices/2025-001?token=0123456789abcdef0123456789abcdef"


def bens_letter(office: Office) -> str:
    """Ben made the call; on the 18th he has an email to write. Returns its path."""
    call = office.bens_call()
    office.ben.does("POST", f"/actions/{call['id']}/complete")
    office.at("2025-03-18 10:00")
    assert office.review() == "await_owner"
    (action,) = office.ben.get("/actions")["items"]
    return f"/actions/{action['id']}"


def bens_email(office: Office, **step: Any) -> str:
    """Ben has an email to write to Acme. Returns its path."""
    office.ada.does(
        "PUT",
        "/plans/Standard",
        {
            "name": "Standard",
            "steps": [
                {
                    "key": "letter",
                    "name": "A letter of ours",
                    "type": "email",
                    "owner": "assigned",
                    "trigger": {"from": "due", "days": 1},
                    "subject": "{{ invoice.number }}",
                    "body": "This is serious.",
                    **step,
                },
            ],
        },
    )
    office.billing.does("PUT", "/customers/C-1", acme_body())
    office.billing.does("PUT", "/invoices/INV-1", invoice_body())
    assert office.review() == "await_owner"
    (action,) = office.ben.get("/actions")["items"]
    return f"/actions/{action['id']}"


def bens_sms(office: Office, body: str) -> str:
    office.ada.does(
        "PUT",
        "/plans/Standard",
        {
            "name": "Standard",
            "steps": [
                {
                    "key": "sms",
                    "name": "A short one",
                    "type": "sms",
                    "owner": "assigned",
                    "trigger": {"from": "due", "days": 1},
                    "body": body,
                },
            ],
        },
    )
    contact = {"external_id": "eve", "name": "Eve", "phone": "+33 6 12 34 56 78"}
    office.billing.does("PUT", "/customers/C-1", acme_body() | {"contacts": [contact]})
    office.billing.does("PUT", "/invoices/INV-1", invoice_body(url=URL))
    assert office.review() == "await_owner"
    (action,) = office.ben.get("/actions")["items"]
    return f"/actions/{action['id']}"
