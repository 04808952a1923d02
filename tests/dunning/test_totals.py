"""Rule 9: what a customer owes, added up by currency."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from dunning.totals import Sums, sums
from tests.cast.diary import Diary

TODAY = date(2025, 3, 11)


def test_rule_9_paused_disputed_and_promised_invoices_count_but_are_not_listed() -> None:
    life = Diary(None, "2025-03-11")
    for name in ("listed", "paused", "disputed", "promised"):
        life.invoice(name, due="2025-03-03")
    life.invoice("due today", due="2025-03-11", total=7)
    life.pause("paused")
    life.change("disputed", disputed=True)
    life.promise("promised", "2025-03-20")
    assert sums(life.account, life.account.invoices, TODAY) == [
        Sums("EUR", Decimal(407), overdue=Decimal(400), listed=Decimal(107), credit=Decimal(0))
    ]


def test_rule_9_totals_are_kept_for_each_currency() -> None:
    life = Diary(None, "2025-03-11")
    life.invoice("A", due="2025-03-03", total=300)
    life.invoice("B", due="2025-03-31", total=200, currency="USD")
    life.tell(credits={"CHF": Decimal(5), "EUR": Decimal(100)})
    found = sums(life.account, life.account.invoices, TODAY, "GBP")
    assert [f"{s.currency} {s.balance} {s.overdue} {s.credit}" for s in found] == [
        "CHF 0 0 5",
        "EUR 300 300 100",
        "GBP 0 0 0",
        "USD 200 0 0",
    ]
