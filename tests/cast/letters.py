"""Messages of Amber & Sons to Acme, for the tests of channels."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from dunning.interest import late_payment
from dunning.plan import ActionType
from messages.content import InvoiceFacts, MessageFacts, Totals
from messages.message import Message, Recipient, Role
from messages.render import render

ADA = Recipient(Role.TO, "ada@acme.example", "Ada Byron", "contact-ada")
BEN = Recipient(Role.CC, "ben@acme.example", "Ben", "contact-ben")


def email(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "delivery_id": "3f0c7b0e-0000-4000-8000-000000000001",
        "organisation_id": "amber",
        "channel": ActionType.EMAIL,
        "recipients": (ADA, BEN),
        "subject": "Payment reminder: invoice INV-1",
        "text": "Dear Ada,\n\n€100 is open.\n",
        "html": "<p>Dear Ada,</p>",
        "sender_address": "sam@amber.example",
        "sender_name": "Sam",
        "reply_to": "sam@amber.example",
    }
    return Message(**(fields | changes))


def sms(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "channel": ActionType.SMS,
        "recipients": (Recipient(Role.TO, "+33612345678", "Ada Byron"),),
        "subject": "",
        "text": "INV-1: 100 EUR is open.",
        "html": None,
        "sender_address": "",
        "reply_to": "",
    }
    return email(**(fields | changes))


def invoice(
    number: str = "INV-1", balance: str = "1234.56", currency: str = "EUR", days: int = 12
) -> InvoiceFacts:
    amount = Decimal(balance)
    return InvoiceFacts(number, date(2025, 2, 1), date(2025, 3, 3), amount, amount, currency, days)


def facts(**changes: Any) -> MessageFacts:
    """The facts of a message on Saturday 15 March 2025: INV-1 of 3 March is twelve days late."""
    first = changes.pop("invoice", invoice())
    listed = changes.pop("invoices", (first,))
    due = sum((i.balance for i in listed), Decimal(0))
    plain = MessageFacts(
        organisation_name="Amber & Sons",
        customer_name="Acme",
        customer_external_id="C-1",
        contact_name="Ada Byron",
        sender_name="Sam",
        sender_email="sam@amber.example",
        language="en",
        organisation_language="en",
        country="",
        today=date(2025, 3, 15),
        invoice=first,
        invoices=listed,
        totals=(Totals(first.currency, due, due, due, Decimal(0), Decimal(0)),),
    )
    return replace(plain, **changes)


def text(body: str, **changes: Any) -> str:
    """The text of an email with this body, about ``facts(**changes)``."""
    return render("x", body, facts(**changes), ActionType.EMAIL).text


def late_facts(country: str = "FR", currency: str = "EUR", **changes: Any) -> MessageFacts:
    """INV-1 of 1234.56 is twelve days late: × 13.15 % × 12 / 365 = 5.3374."""
    one = replace(invoice(currency=currency), interest=Decimal("5.34"))
    of = late_payment([(one.number, one.balance, one.due_on)], country, currency, date(2025, 3, 15))
    return facts(invoice=one, late=of, **changes)
