"""Facts to test templates with. They differ in each condition that a template can have."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from dunning.interest import Interest, LateInvoice, LatePayment, Line
from messages.content import InvoiceFacts, MessageFacts, Totals

_ZERO = Decimal(0)


def _sample(*, overdue: bool, late: LatePayment | None = None) -> MessageFacts:
    amount = Decimal("1234.56")
    interest = late.invoices[0].interest.total if late else _ZERO
    invoice = InvoiceFacts(
        "INV-1042",
        date(2025, 2, 1),
        date(2025, 3, 3),
        amount,
        amount,
        "EUR",
        12 if overdue else 0,
        interest,
        "https://pay.example/INV-1042" if overdue else "",
    )
    sums = Totals("EUR", amount, amount, amount, amount if overdue else _ZERO, _ZERO)
    return MessageFacts(
        organisation_name="Amber & Sons",
        customer_name="Acme",
        customer_external_id="C-1",
        contact_name="Ada" if overdue else "",
        sender_name="Sam",
        sender_email="sam@example.com",
        language="en",
        organisation_language="en",
        country="",
        today=date(2025, 3, 15),
        invoice=invoice,
        invoices=(invoice, invoice),
        totals=(sums,),
        late=late,
    )


_LINE = Line(date(2025, 3, 4), date(2025, 3, 15), 12, Decimal("11.15"), Decimal("4.53"))
_LATE = LateInvoice(
    "INV-1042", Decimal("1234.56"), date(2025, 3, 3), Interest((_LINE,)), Decimal(40)
)
#: Overdue and not overdue, with interest for late payment and without.
SAMPLES = (
    _sample(overdue=True),
    _sample(overdue=False),
    _sample(overdue=True, late=LatePayment("NL", "EUR", (_LATE,))),
)
