"""The facts that a message may state, as plain data. ``messages.render`` makes text of them.

Rule 9 decides which invoices are listed and which only count in the totals. An invoice that is
paused, disputed or promised is not listed; the totals include it, and the message says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dunning.carrying import can_carry, order, owed
from dunning.interest import LatePayment, late_payment
from dunning.model import Account, Invoice
from dunning.totals import sums

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Who writes to whom, in which language: what an ``Account`` does not have.

    ``contact`` is the main recipient. ``language`` (``fr``, ``pt-BR``) and ``country`` (``FR``) are
    the customer's. Instead of an empty or unknown language ``organisation_language`` is used, then
    English.
    """

    organisation: str
    customer: str
    customer_external_id: str = ""
    contact: str = ""
    sender: str = ""
    sender_email: str = ""
    language: str = ""
    organisation_language: str = "en"
    country: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """One invoice as a message shows it. ``days_overdue`` is 0 until the day after the due date.

    ``interest`` is this invoice's in ``MessageFacts.late``, else 0.
    """

    number: str
    issued_on: date
    due_on: date
    total: Decimal
    balance: Decimal
    currency: str
    days_overdue: int
    interest: Decimal = _ZERO
    url: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of one currency: ``outstanding == listed + unlisted - credit`` (rule 9).

    ``outstanding`` and ``overdue`` are sums of all open invoices, less the unapplied ``credit``,
    which covers overdue invoices first; ``outstanding`` is negative when the credit is greater.
    ``listed`` is the sum of the invoices that the message lists, ``unlisted`` of the others.
    """

    currency: str
    outstanding: Decimal
    overdue: Decimal
    listed: Decimal
    unlisted: Decimal
    credit: Decimal

    @property
    def differs(self) -> bool:
        """The list does not add up to the total, so the message must say so (rule 9)."""
        return bool(self.unlisted or self.credit)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFacts:
    """Everything a message may say. ``today`` is the organisation's local date.

    ``invoice`` carries; ``invoices`` are those listed, in rule 2's order; ``totals`` begins with
    the currency of ``invoice``. ``late`` is what the law adds to the listed invoices that are
    overdue in that currency; None = the organisation does not charge it.
    """

    organisation_name: str
    customer_name: str
    customer_external_id: str
    contact_name: str
    sender_name: str
    sender_email: str
    language: str
    organisation_language: str
    country: str
    today: date
    invoice: InvoiceFacts
    invoices: tuple[InvoiceFacts, ...]
    totals: tuple[Totals, ...]
    late: LatePayment | None = None

    @property
    def differs(self) -> bool:
        return any(t.differs for t in self.totals)


def message_facts(
    account: Account, invoice: Invoice, today: date, names: Names, late_country: str = ""
) -> MessageFacts:
    """The facts of a message about ``invoice``, the carrying one, on the local day ``today``.

    ``late_country``: the country whose law on late payment applies (``FR``); empty = none.
    """
    listed = sorted((i for i in account.invoices if can_carry(i, account, today)), key=order)
    late: LatePayment | None = None
    interest: dict[str, Decimal] = {}
    if late_country:
        mine = [
            i
            for i in listed
            if i.currency == invoice.currency and i.due_on < today and i.balance > 0
        ]
        late = late_payment(
            [(i.number, i.balance, i.due_on) for i in mine], late_country, invoice.currency, today
        )
        interest = {i.id: j.interest.total for i, j in zip(mine, late.invoices, strict=True)}
    return MessageFacts(
        organisation_name=names.organisation,
        customer_name=names.customer,
        customer_external_id=names.customer_external_id,
        contact_name=names.contact,
        sender_name=names.sender,
        sender_email=names.sender_email,
        language=names.language,
        organisation_language=names.organisation_language,
        country=names.country,
        today=today,
        invoice=_facts(invoice, today, interest),
        invoices=tuple(_facts(i, today, interest) for i in listed),
        totals=_totals(account, invoice.currency, today),
        late=late,
    )


def _facts(invoice: Invoice, today: date, interest: Mapping[str, Decimal]) -> InvoiceFacts:
    return InvoiceFacts(
        number=invoice.number,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        total=invoice.total,
        balance=invoice.balance,
        currency=invoice.currency,
        days_overdue=max(0, (today - invoice.due_on).days),
        interest=interest.get(invoice.id, _ZERO),
        url=invoice.url,
    )


def _totals(account: Account, first: str, today: date) -> tuple[Totals, ...]:
    """Rule 9. A balance within the tolerance counts as settled (rule 3)."""
    counted = [i for i in account.invoices if owed(i, account) and i.issued_on <= today]
    found = [
        Totals(
            currency=each.currency,
            outstanding=each.balance - each.credit,
            overdue=max(_ZERO, each.overdue - each.credit),
            listed=each.listed,
            unlisted=each.balance - each.listed,
            credit=each.credit,
        )
        for each in sums(account, counted, today, first)
    ]
    return tuple(sorted(found, key=lambda each: each.currency != first))
