"""What a billing system reports: repeated, late, in part, too much, and taken back."""

from __future__ import annotations

from typing import Any

from sqlmodel import select

from stand_ins.office import Office, acme_body, invoice_body, payment_body
from store import tables as t
from store.engine import transaction
from tests.cast.reported import balance, result


def test_the_same_body_twice_changes_nothing(office: Office) -> None:
    note = payment_body("10.00") | {"issued_on": "2025-03-04"}
    del note["paid_on"]
    for path, body in (
        ("/customers/C-1", acme_body(terms_days=30, language="fr", country="FR")),
        ("/invoices/INV-1", invoice_body()),
        ("/payments/P-1", payment_body("40.00")),
        ("/credit-notes/CN-1", note),
    ):
        first = office.billing("PUT", path, json=body)
        assert (first.status_code, first.json()["result"]) == (201, "created")
        assert len(office.nudges()) == 1
        seen = office.billing.get("/customers/C-1")
        second = office.billing("PUT", path, json=body)
        assert (second.status_code, second.json()["result"]) == (200, "unchanged")
        assert second.json()["id"] == first.json()["id"]
        assert office.nudges() == []
        assert office.billing.get("/customers/C-1") == seen


def test_an_older_version_never_overwrites_a_newer_one(office: Office) -> None:
    monday, tuesday = "2025-03-03T10:00:00+01:00", "2025-03-04T10:00:00+01:00"
    newer = acme_body(source_updated_at=tuesday)
    assert result(office, "PUT", "/customers/C-1", newer)[0] == "created"
    older = acme_body(source_updated_at=monday) | {"name": "Acme of old"}
    assert result(office, "PUT", "/customers/C-1", older) == ("stale", [])
    assert office.billing.get("/customers/C-1")["name"] == "Acme"
    new = invoice_body(source_updated_at=tuesday, total="90.00")
    assert result(office, "PUT", "/invoices/INV-1", new)[0] == "created"
    old = invoice_body(source_updated_at=monday)
    assert result(office, "PUT", "/invoices/INV-1", old) == ("stale", [])
    assert balance(office) == ("90.00", "open")
    paid = payment_body("30.00", source_updated_at=tuesday)
    assert result(office, "PUT", "/payments/P-1", paid)[0] == "created"
    before = payment_body("20.00", source_updated_at=monday)
    assert result(office, "PUT", "/payments/P-1", before) == ("stale", [])
    assert balance(office) == ("60.00", "open")


def test_the_page_of_an_invoice_is_reported_kept_and_removed(office: Office) -> None:
    office.acme()
    page = "https://pay.amber.example/" + "x" * 1974
    assert len(page) == 2000
    assert result(office, "PUT", "/invoices/INV-1", invoice_body(url=page))[0] == "updated"
    assert result(office, "PUT", "/invoices/INV-1", invoice_body(url=page)) == ("unchanged", [])
    assert result(office, "PUT", "/invoices/INV-1", invoice_body()) == ("unchanged", [])
    assert office.ben.get("/invoices/INV-1")["url"] == page
    assert office.ben.get("/invoices")["items"][0]["url"] == page
    assert result(office, "PUT", "/invoices/INV-1", invoice_body(url=""))[0] == "updated"
    assert office.ben.get("/invoices/INV-1")["url"] == ""
    item = invoice_body(external_id="INV-2", url="http://localhost:8000/2?a=é#b")
    office.billing.does("POST", "/batch", {"invoices": [item]})
    assert office.ben.get("/invoices/INV-2")["url"] == item["url"]


def test_a_closed_channel_stays_closed_whatever_is_reported(office: Office) -> None:
    office.acme()
    path = "/customers/C-1/contacts/eve"
    closed = office.ben.does("PATCH", path, {"email_closed": "asked on the phone"})
    assert (closed["email_closed"], closed["sms_closed"]) == ("asked on the phone", "")
    office.nudges()
    assert result(office, "PUT", "/customers/C-1", acme_body("new@acme.example"))[0] == "updated"
    office.ben.does("PATCH", path, {"email": "newer@acme.example", "sms_closed": "STOP"})
    (eve,) = office.ben.get("/customers/C-1")["contacts"]
    assert (eve["email"], eve["email_invalid"]) == ("newer@acme.example", "")
    assert (eve["email_closed"], eve["sms_closed"]) == ("asked on the phone", "STOP")
    office.nudges()
    opened = office.ben.does("PATCH", path, {"email_closed": "", "sms_closed": ""})
    assert (opened["email_closed"], opened["sms_closed"]) == ("", "")
    assert office.nudges() == ["account_changed"]
    office.ben.does("PATCH", path, {"email_closed": ""})
    assert office.nudges() == []  # it was open
    told = [(e["kind"], e["text"]) for e in office.ben.get("/customers/C-1/timeline")["items"][:4]]
    assert told[:3] == [
        ("channel_reopened", "sms to Eve is open again"),
        ("channel_reopened", "email to Eve is open again"),
        ("channel_closed", "sms to Eve is closed: STOP"),
    ]
    office.ben.fails(422, "PATCH", path, {"email_closed": "x" * 201})
    office.ben.does("PATCH", path, {"email": ""})
    assert office.ben.does("PATCH", path, {"email_closed": ""})["email_closed"] == ""
    told = office.ben.fails(422, "PATCH", path, {"email_closed": "asked"})
    assert [e["where"] for e in told["errors"]] == ["/email_closed"]
    in_facts = {**acme_body()["contacts"][0], "email_closed": ""}
    office.billing.fails(422, "PUT", "/customers/C-1", acme_body() | {"contacts": [in_facts]})


def test_payments_in_part_in_full_over_and_reversed(office: Office) -> None:
    office.acme()
    assert result(office, "PUT", "/payments/P-1", payment_body("40.00")) == ("created", ["payment"])
    assert balance(office) == ("60.00", "open")
    assert result(office, "PUT", "/payments/P-2", payment_body("60.00")) == ("created", ["payment"])
    assert balance(office) == ("0.00", "paid")
    reversed_ = result(office, "POST", "/payments/P-2/reverse", {"reason": "bounced"})
    assert reversed_ == ("updated", ["payment"])
    assert balance(office) == ("60.00", "open")
    assert result(office, "POST", "/payments/P-2/reverse") == ("unchanged", [])
    office.billing.does("PUT", "/payments/P-3", payment_body("75.50"))
    assert balance(office) == ("0.00", "paid")
    (total,) = office.billing.get("/customers/C-1")["totals"]
    assert total == {"currency": "EUR", "outstanding": "0.00", "overdue": "0.00", "credit": "15.50"}
    told = office.billing.fails(409, "PUT", "/payments/P-2", payment_body("61.00"))
    assert "reversed" in told["detail"]
    office.billing.fails(404, "POST", "/payments/P-9/reverse")
    timeline = office.ben.get("/invoices/INV-1/timeline")["items"]
    assert [e["kind"] for e in timeline].count("invoice_reopened") == 1


def test_a_corrected_payment_moves_to_the_other_invoice(office: Office) -> None:
    office.acme()
    office.billing.does("PUT", "/invoices/INV-2", invoice_body(number="2025-002"))
    office.billing.does("PUT", "/payments/P-1", payment_body())
    office.billing.does(
        "PUT", "/payments/P-1", payment_body(applied=[{"invoice": "INV-2", "amount": "100.00"}])
    )
    assert balance(office) == ("100.00", "open")
    assert office.billing.get("/invoices/INV-2")["status"] == "paid"


def test_invoices_are_voided_written_off_and_credited(office: Office) -> None:
    office.acme()
    for n in (2, 3):
        office.billing.does("PUT", f"/invoices/INV-{n}", invoice_body(number=f"2025-00{n}"))
    office.nudges()
    void = office.billing.does("POST", "/invoices/INV-1/void", {"reason": "twice"})
    assert (void["status"], void["closed_reason"]) == ("void", "is void: twice")
    assert office.nudges() == ["account_changed"]
    office.billing.does("POST", "/invoices/INV-1/void")
    assert office.nudges() == []
    gone = office.billing.does("POST", "/invoices/INV-2/write-off")
    assert gone["status"] == "written_off"
    note = {
        "customer": "C-1",
        "currency": "EUR",
        "amount": "100.00",
        "issued_on": "2025-03-04",
        "applied": [{"invoice": "INV-3", "amount": "100.00"}],
    }
    office.billing.does("PUT", "/credit-notes/CN-1", note)
    credited = office.billing.get("/invoices/INV-3")
    assert (credited["status"], credited["closed_reason"]) == ("paid", "is fully credited")
    office.billing.does("POST", "/credit-notes/CN-1/void")
    assert office.billing.get("/invoices/INV-3")["status"] == "open"
    free = invoice_body(number="2025-004", total="0")
    office.billing.does("PUT", "/invoices/INV-4", free)
    assert office.billing.get("/invoices/INV-4")["status"] == "paid"


def test_unknown_and_contradicting_facts_are_refused_with_their_place(office: Office) -> None:
    office.acme()
    office.billing.does("PUT", "/customers/C-2", {"name": "Borealis"})
    office.nudges()

    def where(method: str, path: str, body: Any) -> str:
        return str(office.billing.fails(422, method, path, body)["errors"][0]["where"])

    assert where("PUT", "/invoices/I-9", invoice_body(customer="C-9")) == "/customer"
    assert where("PUT", "/invoices/INV-1", invoice_body(customer="C-2")) == "/customer"
    assert where("PUT", "/invoices/INV-1", invoice_body(currency="USD")) == "/currency"
    assert where("PUT", "/invoices/I-9", invoice_body(due_on="2025-01-31")) == "/due_on"
    assert where("PUT", "/payments/P-1", payment_body(customer="C-9")) == "/customer"
    assert where("PUT", "/payments/P-1", payment_body(customer="C-2")) == "/applied"
    assert where("PUT", "/payments/P-1", payment_body(currency="USD")) == "/currency"
    more = payment_body("10.00", applied=[{"invoice": "INV-1", "amount": "10.01"}])
    assert where("PUT", "/payments/P-1", more) == "/applied"
    twice = payment_body(applied=[{"invoice": "INV-1", "amount": "1"}] * 2)
    assert where("PUT", "/payments/P-1", twice) == "/applied"
    assert where("PUT", "/customers/C-1", acme_body(parent="C-9")) == "/parent"
    assert where("PUT", "/customers/C-1", acme_body(parent="C-1")) == "/parent"
    assert where("PUT", "/customers/C-1", acme_body(plan="Gentle")) == "/plan"
    assert where("PUT", "/customers/C-1", acme_body(members=["x@y.example"])) == "/members/0"
    two = [{"name": "Eve", "main": True}, {"name": "Eva", "main": True}]
    assert where("PUT", "/customers/C-1", acme_body(contacts=two)) == "/contacts"
    assert office.nudges() == []


def test_money_keeps_the_decimals_of_its_currency(office: Office) -> None:
    office.acme()
    for currency, total, shown in (
        ("JPY", "1200", "1200"),
        ("JPY", "1200.00", "1200"),
        ("KWD", "1.234", "1.234"),
        ("EUR", "5", "5.00"),
        ("EUR", "5.1000", "5.10"),
        ("EUR", "999999999999999.99", "999999999999999.99"),
    ):
        key = f"{currency}-{total}"
        body = invoice_body(currency=currency, total=total)
        office.billing.does("PUT", f"/invoices/{key}", body)
        seen = office.billing.get(f"/invoices/{key}")
        assert (seen["total"], seen["balance"]) == (shown, shown)
    office.billing.fails(422, "PUT", "/invoices/J", invoice_body(currency="JPY", total="1.5"))
    office.billing.fails(422, "PUT", "/payments/J", payment_body("1.005"))


def test_two_organisations_do_not_see_each_other(office: Office) -> None:
    office.acme()
    invoice = office.ben.get("/invoices/INV-1")["id"]
    with transaction(office.engine) as session:
        other = t.Organisation(name="Other")
        session.add(other)
        session.flush()
        mine = select(t.ApiKey).where(t.ApiKey.organisation_id == office.id)
        session.exec(mine.where(t.ApiKey.scope == "billing")).one().organisation_id = other.id
    assert office.billing.get("/invoices")["items"] == []
    office.billing.fails(404, "GET", f"/invoices/{invoice}")
    office.billing.fails(404, "POST", f"/invoices/{invoice}/void")
    office.billing.fails(422, "PUT", "/payments/P-1", payment_body())
