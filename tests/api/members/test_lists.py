"""Lists of customers and invoices."""

from __future__ import annotations

from typing import Any

from stand_ins.office import Office, invoice_body


def report_book(office: Office) -> None:
    """A parent with five children, the odd ones Ben's, and seven invoices."""
    office.billing.does(
        "POST",
        "/batch",
        {
            "customers": [{"external_id": "H", "name": "Holding"}]
            + [
                {
                    "external_id": f"C-{n}",
                    "name": f"Customer 100%_{n}",
                    "parent": "H",
                    "members": ["ben@amber.example"] if n % 2 else [],
                }
                for n in range(5)
            ],
            "invoices": [
                invoice_body(
                    external_id=f"I-{n}",
                    number=str(n),
                    customer=f"C-{n % 2}",
                    due_on=None if n else "2025-03-03",
                )
                for n in range(7)
            ],
        },
    )


def test_lists_are_filtered_and_come_in_pages(office: Office) -> None:
    report_book(office)

    def ids(path: str, **params: Any) -> list[str]:
        found, cursor = [], None
        while True:
            page = office.cleo.get(
                path, limit=2, **params, **({"cursor": cursor} if cursor else {})
            )
            found += [row["external_id"] for row in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    assert ids("/customers") == [*(f"C-{n}" for n in range(5)), "H"]
    assert ids("/customers", name="%_3") == ["C-3"]
    assert ids("/customers", parent="H", member="ben@amber.example") == ["C-1", "C-3"]
    assert ids("/invoices", customer="C-1") == ["I-1", "I-3", "I-5"]
    assert ids("/invoices", due_before="2025-02-02") == [f"I-{n}" for n in range(1, 7)]
    assert ids("/invoices", number="4", status="open", disputed=False) == ["I-4"]
    assert ids("/invoices", status="paid") == []
    office.cleo.fails(404, "GET", "/invoices?customer=C-9")
    office.cleo.fails(422, "GET", "/invoices?status=closed")
    assert office.billing.get("/customers", limit=200)["next_cursor"] is None
