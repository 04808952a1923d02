"""The variables of a template, from the facts of a message."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from babel import Locale

from messages.content import InvoiceFacts, MessageFacts, Totals
from messages.formats import Amount
from messages.interest_table import interest_table
from messages.invoices_table import invoices_table, totals_note
from messages.lines import one_line
from messages.words import Labels

#: The variables that are tables, and what each lists.
TABLES = {"invoices_table": "invoices", "interest_table": "interest"}
_ZERO = Decimal(0)


def context(
    facts: MessageFacts, locale: Locale, labels: Labels, names: Collection[str] = TABLES
) -> dict[str, Any]:
    """The variables of ``messages.variables.VARIABLES``. Only the tables in ``names`` are made,
    because tables cost most."""
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
        "invoices_table": (
            invoices_table(facts, labels, locale) if "invoices_table" in names else ""
        ),
        "outstanding": Amount.of(mine.outstanding, currency),
        "overdue": Amount.of(mine.overdue, currency),
        "listed": Amount.of(mine.listed, currency),
        "differs": facts.differs,
        "totals_note": totals_note(facts, labels, locale),
        "totals": tuple(map(_sums, facts.totals)),
        "interest": Amount.of(late.interest if late else _ZERO, currency),
        "fixed_sum": Amount.of(late.fixed_sum if late else _ZERO, currency),
        "late_total": Amount.of(late.total if late else _ZERO, currency),
        "interest_table": (
            interest_table(late, labels, locale) or "" if "interest_table" in names else ""
        ),
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
