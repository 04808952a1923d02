"""The variables of a template, from the facts of a message; and facts to try templates with."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from babel import Locale

from dunning.interest import Interest, LateInvoice, LatePayment, Line
from messages.content import InvoiceFacts, MessageFacts, Totals
from messages.message import one_line
from messages.table import totals_note
from messages.template import Amount
from messages.words import Labels

# Where a table will stand. There is no other way in for these characters: they are refused in
# templates, dropped from facts, and unmoved by filters.
TABLE = "\x1a"
CALCULATION = "\x19"
_ZERO = Decimal(0)


def context(facts: MessageFacts, locale: Locale, labels: Labels) -> dict[str, Any]:
    """The variables of ``messages.content.VARIABLES``."""
    mine = facts.totals[0]
    currency = facts.invoice.currency
    late = facts.late
    return {
        "organisation": SimpleNamespace(name=_clean(facts.organisation_name)),
        "customer": SimpleNamespace(
            name=_clean(facts.customer_name), external_id=_clean(facts.customer_external_id)
        ),
        "contact": SimpleNamespace(name=_clean(facts.contact_name)),
        "sender": SimpleNamespace(name=_clean(facts.sender_name), email=_clean(facts.sender_email)),
        "language": _clean(facts.language),
        "country": _clean(facts.country),
        "today": facts.today,
        "invoice": _invoice(facts.invoice),
        "invoices": tuple(map(_invoice, facts.invoices)),
        "invoices_table": TABLE,
        "outstanding": Amount.of(mine.outstanding, currency),
        "overdue": Amount.of(mine.overdue, currency),
        "listed": Amount.of(mine.listed, currency),
        "differs": facts.differs,
        "totals_note": totals_note(facts, labels, locale),
        "totals": tuple(map(_sums, facts.totals)),
        "interest": Amount.of(late.interest if late else _ZERO, currency),
        "fixed_sum": Amount.of(late.fixed_sum if late else _ZERO, currency),
        "late_total": Amount.of(late.total if late else _ZERO, currency),
        "interest_table": CALCULATION if late and late.invoices else "",
    }


def _invoice(invoice: InvoiceFacts) -> SimpleNamespace:
    return SimpleNamespace(
        number=_clean(invoice.number),
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        total=Amount.of(invoice.total, invoice.currency),
        balance=Amount.of(invoice.balance, invoice.currency),
        currency=_clean(invoice.currency),
        days_overdue=invoice.days_overdue,
        interest=Amount.of(invoice.interest, invoice.currency),
        url=_clean(invoice.url),
    )


def _sums(totals: Totals) -> SimpleNamespace:
    names = ("outstanding", "overdue", "listed", "unlisted", "credit")
    amounts = {name: Amount.of(getattr(totals, name), totals.currency) for name in names}
    return SimpleNamespace(currency=_clean(totals.currency), **amounts)


def _clean(text: str) -> str:
    return one_line(text, 1000)


def _sample(*, overdue: bool, late: LatePayment | None = None) -> MessageFacts:
    amount = Decimal("1234.56")
    interest = late.invoices[0].interest.total if late else _ZERO
    invoice = InvoiceFacts(
        "INV-1042", date(2025, 2, 1), date(2025, 3, 3), amount, amount, "EUR",
        12 if overdue else 0, interest, "https://pay.example/INV-1042" if overdue else "",
    )  # fmt: skip
    sums = Totals("EUR", amount, amount, amount, amount if overdue else _ZERO, _ZERO)
    return MessageFacts(
        organisation_name="Amber & Sons", customer_name="Acme", customer_external_id="C-1",
        contact_name="Ada" if overdue else "", sender_name="Sam", sender_email="sam@example.com",
        language="en", organisation_language="en", country="", today=date(2025, 3, 15),
        invoice=invoice, invoices=(invoice, invoice), totals=(sums,), late=late,
    )  # fmt: skip


_LINE = Line(date(2025, 3, 4), date(2025, 3, 15), 12, Decimal("11.15"), Decimal("4.53"))
_LATE = LateInvoice(
    "INV-1042", Decimal("1234.56"), date(2025, 3, 3), Interest((_LINE,)), Decimal(40)
)
#: Overdue and not, with interest for late payment and without.
SAMPLES = (
    _sample(overdue=True),
    _sample(overdue=False),
    _sample(overdue=True, late=LatePayment("NL", "EUR", (_LATE,))),
)
