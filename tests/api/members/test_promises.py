"""Rule 40: whether a promise is kept or broken when its invoice changes meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from stand_ins.office import Office, invoice_body, payment_body


def promised(office: Office, amount: str | None = None) -> None:
    """Acme has paid 20 of INV-1's 100 EUR, and promises the rest, or ``amount``, for 12 March."""
    office.acme()
    office.billing.does("PUT", "/payments/P-0", payment_body("20.00"))
    body = {"promised_on": "2025-03-12", "amount": amount}
    office.ben.does("POST", "/invoices/INV-1/promise", {k: v for k, v in body.items() if v})
    office.review()


def pays(office: Office, amount: str, key: str = "P-1") -> None:
    office.billing.does("PUT", f"/payments/{key}", payment_body(amount))


def credited(office: Office, amount: str) -> None:
    note = payment_body(amount)
    del note["paid_on"]
    office.billing.does("PUT", "/credit-notes/CN-1", {**note, "issued_on": "2025-03-05"})


def asks_for(office: Office, total: str) -> None:
    office.billing.does("PUT", "/invoices/INV-1", invoice_body(total=total))


def outcome(office: Office, at: str = "2025-03-13 09:00") -> list[str]:
    """What the timeline says of the promise when the sequence has looked at that time."""
    office.at(at)
    office.review()
    told = office.ben.get("/invoices/INV-1/timeline")["items"]
    return [f"{e['kind']}: {e['text']}" for e in told if e["kind"].startswith("promise_")]


KEPT = "promise_kept: the promise of 2025-03-12 for 2025-001 is kept"
PART_KEPT = "promise_part_kept: the promise of 2025-03-12 for 2025-001 is part-kept"
BROKEN = "promise_broken: the promise of 2025-03-12 for 2025-001 is broken"


@pytest.mark.parametrize(
    ("close", "words"),
    [("void", "2025-001 is void: our mistake"), ("write-off", "2025-001 is written off: lost")],
)
def test_a_closed_invoice_ends_its_promise_which_is_not_broken(
    office: Office, close: str, words: str
) -> None:
    promised(office)
    pays(office, "30.00")  # part of it: still neither kept nor broken
    office.billing.does("POST", f"/invoices/INV-1/{close}", {"reason": words.split(": ")[1]})
    said = f"promise_ended: the promise of 2025-03-12 for 2025-001 is ended: {words}"
    assert outcome(office, "2025-03-05 09:00") == [said]
    assert outcome(office, "2025-03-20 09:00") == [said]


def test_what_was_promised_and_paid_is_kept_although_the_rest_is_written_off(
    office: Office,
) -> None:
    promised(office, "50.00")
    pays(office, "50.00")
    office.billing.does("POST", "/invoices/INV-1/write-off")
    assert outcome(office, "2025-03-05 09:00") == [KEPT]


def test_a_higher_total_does_not_hide_what_was_paid(office: Office) -> None:
    promised(office)
    pays(office, "30.00")
    asks_for(office, "150.00")
    assert outcome(office) == [PART_KEPT]


def test_what_was_promised_and_paid_is_kept_although_the_total_was_raised(office: Office) -> None:
    promised(office)  # 80: what was open
    asks_for(office, "150.00")
    pays(office, "80.00")
    assert outcome(office) == [KEPT]


@pytest.mark.parametrize("lower", [asks_for, credited])
def test_a_lower_total_or_a_credit_note_is_no_payment(office: Office, lower: Any) -> None:
    promised(office)
    lower(office, "60.00")
    assert outcome(office) == [BROKEN]


def test_paid_and_credited_together_nothing_is_owed_so_it_is_kept(office: Office) -> None:
    promised(office)
    pays(office, "30.00")
    credited(office, "50.00")
    assert outcome(office, "2025-03-06 09:00") == [KEPT]


def test_an_older_payment_that_is_taken_back_does_not_hide_a_new_one(office: Office) -> None:
    promised(office)
    pays(office, "80.00")
    office.billing.does("POST", "/payments/P-0/reverse", {"reason": "bounced"})
    assert outcome(office) == [KEPT]


def test_a_payment_that_is_taken_back_was_not_paid(office: Office) -> None:
    promised(office)
    pays(office, "30.00")
    office.billing.does("POST", "/payments/P-1/reverse", {"reason": "bounced"})
    assert outcome(office) == [BROKEN]


def test_of_an_older_payment_only_what_was_added_counts(office: Office) -> None:
    promised(office)
    pays(office, "45.00", "P-0")  # reported as 20 before
    assert outcome(office) == [PART_KEPT]
