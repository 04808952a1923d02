"""The facts of Acme's message of Tuesday 4 March 2025 (rules 2, 3, 9, 38 to 42)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dunning.calendar import Calendar
from dunning.model import Account, Invoice, InvoiceStatus, Pause, Promise
from messages.content import MessageFacts, Names, Totals, message_facts

TUESDAY = date(2025, 3, 4)
NAMES = Names(organisation="Amber & Sons", customer="Acme", contact="Ada", language="fr")


def invoice(number: str, balance: str, due: date, **changes: Any) -> Invoice:
    fields: dict[str, Any] = {
        "id": number,
        "number": number,
        "issued_on": due - timedelta(days=30),
        "due_on": due,
        "total": Decimal(balance),
        "balance": Decimal(balance),
    }
    return Invoice(**(fields | changes))


def message(*invoices: Invoice, **account: Any) -> MessageFacts:
    acme = Account("acme", Calendar(ZoneInfo("Europe/Paris")), invoices=invoices, **account)
    return message_facts(acme, invoices[0], TUESDAY, NAMES)


FEBRUARY = invoice("INV-1", "100", date(2025, 2, 3))


def test_a_message_has_the_carrying_invoice_and_the_names() -> None:
    facts = message(FEBRUARY)
    assert facts.invoice.number == "INV-1"
    assert facts.invoice.days_overdue == 29
    assert (facts.organisation_name, facts.customer_name) == ("Amber & Sons", "Acme")
    assert (facts.contact_name, facts.language, facts.organisation_language) == ("Ada", "fr", "en")
    assert facts.today == TUESDAY
    assert not facts.differs


def test_an_invoice_due_today_is_not_overdue() -> None:
    facts = message(invoice("INV-1", "100", TUESDAY))
    assert facts.invoice.days_overdue == 0
    assert facts.totals[0].overdue == 0
    assert facts.totals[0].outstanding == 100


def test_only_invoices_that_can_carry_are_listed_in_the_order_of_rule_2() -> None:
    facts = message(
        invoice("LATER", "5", date(2025, 4, 1), issued_on=date(2025, 3, 1)),
        invoice("SMALL", "10", date(2025, 2, 3)),
        invoice("GREAT", "10", date(2025, 2, 3), total=Decimal(900)),
        invoice("PAID", "0", date(2025, 1, 3), status=InvoiceStatus.PAID),
        invoice("VOID", "10", date(2025, 1, 3), status=InvoiceStatus.VOID),
        invoice("PAUSED", "20", date(2025, 1, 3), pauses=(Pause(),)),
        invoice("DISPUTED", "30", date(2025, 1, 3), disputed=True),
        invoice("PROMISED", "40", date(2025, 3, 30), promises=(Promise("p", TUESDAY),)),
        invoice("TO COME", "50", date(2025, 4, 30), issued_on=date(2025, 3, 5)),
    )
    assert [i.number for i in facts.invoices] == ["GREAT", "SMALL", "LATER"]
    [sums] = facts.totals
    assert sums == Totals(
        "EUR",
        outstanding=Decimal(115),
        overdue=Decimal(70),
        listed=Decimal(25),
        unlisted=Decimal(90),
        credit=Decimal(0),
    )
    assert facts.differs


def test_a_pause_that_ended_this_morning_lists_the_invoice_again() -> None:
    facts = message(invoice("INV-1", "100", date(2025, 2, 3), pauses=(Pause(TUESDAY),)))
    assert len(facts.invoices) == 1
    assert not facts.differs


def test_credit_lowers_what_the_customer_owes() -> None:
    later = invoice("INV-2", "50", date(2025, 4, 1), issued_on=date(2025, 3, 1))
    [sums] = message(FEBRUARY, later, credits={"EUR": Decimal(30)}).totals
    assert [sums.outstanding, sums.overdue, sums.listed] == [Decimal(n) for n in (120, 70, 150)]
    assert sums.differs
    [sums] = message(FEBRUARY, later, credits={"EUR": Decimal(120)}).totals
    assert [sums.outstanding, sums.overdue] == [Decimal(30), Decimal(0)]


def test_totals_of_a_message_are_kept_for_each_currency() -> None:
    facts = message(
        invoice("INV-1", "100", date(2025, 2, 3), currency="USD"),
        invoice("INV-2", "7", date(2025, 2, 3)),
        credits={"CHF": Decimal(5), "GBP": Decimal(0)},
    )
    assert [(t.currency, t.outstanding) for t in facts.totals] == [
        ("USD", Decimal(100)),
        ("CHF", Decimal(-5)),
        ("EUR", Decimal(7)),
    ]


def test_a_balance_within_the_tolerance_counts_as_settled() -> None:
    facts = message(FEBRUARY, invoice("INV-2", "0.01", date(2025, 2, 3)), tolerance=Decimal("0.05"))
    assert len(facts.invoices) == 1
    assert not facts.differs


def late(*invoices: Invoice, country: str = "FR", **account: Any) -> MessageFacts:
    acme = Account("acme", Calendar(ZoneInfo("Europe/Paris")), invoices=invoices, **account)
    return message_facts(acme, invoices[0], TUESDAY, NAMES, country)


def test_interest_for_late_payment_is_off_by_default() -> None:
    facts = message(FEBRUARY)
    assert facts.late is None
    assert facts.invoice.interest == 0
    assert late(FEBRUARY, country="").late is None


def test_interest_is_on_the_listed_invoices_that_are_overdue() -> None:
    """INV-1 of 3 February, 29 days late: 100 × 13.15 % × 29 / 365 = 1.0448. Paused and disputed
    invoices are not listed (rule 9), so no interest is claimed on them."""
    facts = late(
        FEBRUARY,
        invoice("TODAY", "70", TUESDAY),
        invoice("LATER", "50", date(2025, 4, 1), issued_on=date(2025, 3, 1)),
        invoice("DISPUTED", "30", date(2025, 1, 3), disputed=True),
        invoice("USD", "20", date(2025, 2, 3), currency="USD"),
        invoice("ONE DAY", "365000", date(2025, 3, 3)),
    )
    assert facts.late is not None
    assert [i.number for i in facts.late.invoices] == ["INV-1", "ONE DAY"]
    assert (facts.late.country, facts.late.currency) == ("FR", "EUR")
    assert facts.late.interest == Decimal("1.04") + Decimal("131.50")
    assert facts.late.fixed_sum == Decimal(80)
    assert facts.late.total == Decimal(365100) + Decimal("132.54") + 80
    assert facts.invoice.interest == Decimal("1.04")
    assert {i.number: i.interest for i in facts.invoices if i.interest} == {
        "INV-1": Decimal("1.04"),
        "ONE DAY": Decimal("131.50"),
    }


def test_interest_is_only_on_invoices_in_the_carrying_invoices_currency() -> None:
    facts = late(invoice("USD", "20", date(2025, 2, 3), currency="USD"), FEBRUARY)
    assert facts.late is not None
    assert [(i.number, i.fixed_sum) for i in facts.late.invoices] == [("USD", Decimal(0))]
    assert facts.late.interest == 0


amounts = st.decimals(0, 1000, places=2)


@given(
    st.lists(
        st.builds(
            lambda n, balance, days, disputed, currency: invoice(
                str(n),
                str(balance),
                TUESDAY + timedelta(days=days),
                disputed=disputed,
                currency=currency,
            ),
            st.integers(0, 999),
            amounts,
            st.integers(-60, 60),
            st.booleans(),
            st.sampled_from(["EUR", "USD"]),
        ),
        min_size=1,
        max_size=8,
    ),
    amounts,
)
def test_outstanding_is_listed_and_unlisted_invoices_less_credit(
    invoices: list[Invoice], credit: Decimal
) -> None:
    facts = message(*invoices, credits={"EUR": credit})
    assert facts.totals[0].currency == facts.invoice.currency
    for sums in facts.totals:
        mine = [i for i in facts.invoices if i.currency == sums.currency]
        assert sums.outstanding == sums.listed + sums.unlisted - sums.credit
        assert sums.listed == sum(i.balance for i in mine)
        assert sums.overdue >= 0
        assert sums.overdue <= max(sums.outstanding, Decimal(0))
    backwards = message(*invoices[:1], *reversed(invoices[1:]), credits={"EUR": credit})
    assert sorted(backwards.invoices, key=str) == sorted(facts.invoices, key=str)
    assert backwards.totals == facts.totals
