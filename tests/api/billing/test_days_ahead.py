"""Days too far ahead are refused, in every way of reporting them (today: 4 March 2025)."""

from __future__ import annotations

from typing import Any

import pytest

from stand_ins.office import Office, acme_body, invoice_body, payment_body
from tests.cast.imported import refused as refused_rows
from tests.cast.imported import taken

LAST, FAR = "2025-04-04", "2025-04-05"  # 31 days ahead, and 32
LAST_ISSUE, FAR_ISSUE = "2026-03-05", "2026-03-06"  # 366 days ahead, and 367
HEADER = "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on"
ROW = "C-1,Acme,,INV-1,2025-02-01,2025-03-03,100.00,EUR,{}"
NOTE = "C-1,Acme,,CN-1,{},,-10.00,EUR,"
ISSUED = "C-1,Acme,,INV-9,{},,10.00,EUR,"


def note_body(day: str) -> dict[str, Any]:
    note = payment_body("10.00") | {"issued_on": day}
    del note["paid_on"]
    return note


CASES: dict[str, tuple[str, str, str, Any]] = {
    "payments": ("/paid_on", LAST, FAR, lambda day: payment_body(paid_on=day)),
    "credit_notes": ("/issued_on", LAST, FAR, note_body),
    "invoices": (
        "/issued_on",
        LAST_ISSUE,
        FAR_ISSUE,
        lambda day: invoice_body(issued_on=day, due_on=None),
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_day_too_far_ahead_is_refused_singly_and_in_a_batch(office: Office, kind: str) -> None:
    where, last, far, body = CASES[kind]
    office.acme()
    path = f"/{kind.replace('_', '-')}/X-1"
    (wrong,) = office.billing.fails(422, "PUT", path, body(far))["errors"]
    assert wrong["where"] == where
    assert "after today, 2025-03-04" in wrong["reason"]
    batch = {kind: [body(last) | {"external_id": "X-2"}, body(far) | {"external_id": "X-3"}]}
    (wrong,) = office.billing.fails(422, "POST", "/batch", batch)["errors"]
    assert wrong["where"] == f"/{kind}/1{where}"
    office.billing.does("PUT", path, body(last))
    office.billing.fails(422, "PUT", path, body(far))


@pytest.mark.parametrize(
    ("row", "place", "last", "far"),
    [
        (ROW, "paid_on", LAST, FAR),
        (NOTE, "issued_on", LAST, FAR),
        (ISSUED, "issued_on", LAST_ISSUE, FAR_ISSUE),
    ],
)
def test_a_day_too_far_ahead_is_refused_in_a_book(
    office: Office, row: str, place: str, last: str, far: str
) -> None:
    (told,) = refused_rows(office, f"{HEADER}\n{row.format(far)}")
    assert told[0] == f"line 2, {place}"
    assert told[1].startswith(f"{far} is more than")
    assert office.billing.get("/customers")["items"] == []
    assert taken(office, f"{HEADER}\n{row.format(last)}")["bad_rows"] == []


def test_a_stored_day_too_far_ahead_can_be_reported_again(office: Office) -> None:
    office.billing.does("PUT", "/customers/C-1", acme_body())
    book = f"{HEADER}\n{ROW.format(LAST)}\n{NOTE.format(LAST)}\n{ISSUED.format(LAST_ISSUE)}"
    taken(office, book)
    office.billing.does("PUT", "/payments/P-1", payment_body("1.00", paid_on=LAST, applied=[]))
    office.at("2025-01-01 09:00")  # as if it had been stored before days were checked
    assert taken(office, book)["unchanged"] == 3
    same = payment_body("1.00", paid_on=LAST, applied=[])
    assert office.billing.does("PUT", "/payments/P-1", same)["result"] == "unchanged"
    more = payment_body("2.00", paid_on=LAST, applied=[])
    assert office.billing.does("PUT", "/payments/P-1", more)["result"] == "updated"


def test_today_is_that_of_the_organisation(office: Office) -> None:
    office.acme()
    office.at("2025-03-04 23:30")
    office.billing.fails(422, "PUT", "/payments/P-1", payment_body(paid_on=FAR))
    office.ada.does("PATCH", "/organisation", {"timezone": "Asia/Tokyo"})  # it is 5 March there
    office.billing.does("PUT", "/payments/P-1", payment_body(paid_on=FAR))
