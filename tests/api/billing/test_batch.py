"""Many facts in one request."""

from __future__ import annotations

from typing import Any

from stand_ins.office import Office, acme_body, invoice_body, payment_body
from tests.cast.reported import balance


def acme_batch() -> dict[str, Any]:
    """Customer C-1 with its parent, three invoices, a credit note and a payment of 100.00."""
    return {
        "customers": [
            acme_body() | {"external_id": "C-1", "parent": "C-0"},
            {"external_id": "C-0", "name": "Acme Holding"},
        ],
        "invoices": [invoice_body(external_id=f"INV-{n}", number=f"N{n}") for n in (1, 2)]
        + [invoice_body(external_id="2025/3", number="N3")],
        "credit_notes": [
            {
                "external_id": "CN-1",
                "customer": "C-1",
                "currency": "EUR",
                "amount": "1.00",
                "issued_on": "2025-03-01",
            }
        ],
        "payments": [payment_body(external_id="P-1")],
    }


def test_a_batch_is_stored_whole(office: Office) -> None:
    batch = acme_batch()
    report = office.billing.does("POST", "/batch", batch)
    assert [[r["result"] for r in rows] for rows in report.values()] == [
        ["created"] * 2,
        ["created"] * 3,
        ["created"],
        ["created"],
    ]
    assert [r["external_id"] for r in report["customers"]] == ["C-1", "C-0"]
    assert office.nudges() == ["account_changed"] * 2  # one for each customer
    assert office.billing.get("/customers/C-1")["parent"] == "C-0"
    assert balance(office) == ("0.00", "paid")
    slashed = report["invoices"][2]["id"]
    assert office.ben.get(f"/invoices/{slashed}")["external_id"] == "2025/3"
    office.ben.does("POST", f"/invoices/{slashed}/dispute")
    again = office.billing.does("POST", "/batch", batch)
    assert {r["result"] for rows in again.values() for r in rows} == {"unchanged"}
    assert office.nudges() == ["account_changed"]  # of the dispute
    batch["invoices"][0]["total"] = "130.00"
    batch["payments"] = [payment_body("20.00", external_id="P-2")]
    third = office.billing.does("POST", "/batch", batch)
    assert [r["result"] for r in third["invoices"]] == ["updated", "unchanged", "unchanged"]
    assert balance(office) == ("10.00", "open")
    kinds = [e["kind"] for e in office.ben.get("/invoices/INV-1/timeline")["items"]]
    assert kinds == [
        "payment",
        "invoice_updated",
        "invoice_reopened",
        "payment",
        "invoice_paid",
        "invoice_created",
    ]


def test_a_bad_batch_stores_nothing_and_names_every_bad_item(office: Office) -> None:
    office.acme()
    batch = {
        "customers": [
            {"external_id": "C-2", "name": "Borealis"},
            {"external_id": "C-3", "name": "Corvus", "parent": "C-9"},
        ],
        "invoices": [
            invoice_body(external_id="INV-2", customer="C-2"),
            invoice_body(external_id="INV-3", customer="C-8"),
            invoice_body(external_id="INV-1", currency="USD"),
        ],
        "payments": [payment_body(external_id="P-1", customer="C-7")],
    }
    told = office.billing.fails(422, "POST", "/batch", batch)
    assert [e["where"] for e in told["errors"]] == [
        "/customers/1/parent",
        "/invoices/1/customer",
        "/invoices/2/currency",
        "/payments/0/customer",
    ]
    office.billing.fails(404, "GET", "/customers/C-2")
    assert office.nudges() == []
    batch["invoices"][0]["total"] = "1.234"
    batch["customers"][0]["name"] = ""
    told = office.billing.fails(422, "POST", "/batch", batch)
    assert [e["where"] for e in told["errors"]] == ["/customers/0/name", "/invoices/0/total"]
    many = [{"external_id": str(n), "name": "x"} for n in range(5001)]
    told = office.billing.fails(422, "POST", "/batch", {"customers": many})
    assert "5001" in told["detail"]
