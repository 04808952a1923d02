"""The variables that a template may use, and what they are. Data only."""

from __future__ import annotations

from collections.abc import Mapping

_INVOICE = {
    "number": "its number",
    "issued_on": "the day it was issued",
    "due_on": "the day it was due",
    "total": "its full amount",
    "balance": "what is still open on it",
    "currency": "its currency, three letters",
    "days_overdue": "whole days since the due date; 0 when it is not overdue",
    "interest": "its interest for late payment until today; 0 when that is off",
    "url": "the page on which it is seen or paid, in an SMS a short link to it; may be empty",
}

#: What a template may use: name and meaning. A dotted name after a list belongs to its items.
VARIABLES: Mapping[str, str] = {
    "organisation.name": "the name of your organisation",
    "customer.name": "the name of the customer",
    "customer.external_id": "the customer's id in your billing system",
    "contact.name": "the name of the main recipient; may be empty",
    "sender.name": "the name of the member who sends; may be empty",
    "sender.email": "the email address of the member who sends",
    "language": "the customer's language, as 'fr'",
    "country": "the customer's country, as 'FR'; may be empty",
    "today": "the day on which the message goes out",
    **{f"invoice.{name}": f"the carrying invoice: {text}" for name, text in _INVOICE.items()},
    "invoices": "the open invoices, oldest first, to loop over: {% for i in invoices %}; without"
    " those that are paused, disputed or promised",
    **{f"invoices.{name}": f"one of the open invoices: {text}" for name, text in _INVOICE.items()},
    "invoices_table": "the table of the open invoices with its totals; only in the body",
    "outstanding": "all the customer owes in the currency of the carrying invoice, less credit",
    "overdue": "the part of it that is overdue",
    "listed": "the sum of the invoices that are listed, in the same currency",
    "differs": "true when the invoices listed do not add up to the total",
    "totals_note": "the sentence that explains the difference; empty when there is none",
    "totals": "the sums of each currency, to loop over: {% for t in totals %}",
    "totals.currency": "the currency, three letters",
    "totals.outstanding": "all the customer owes in this currency, less credit",
    "totals.overdue": "the part of it that is overdue",
    "totals.listed": "the sum of the invoices that are listed",
    "totals.unlisted": "the sum of the open invoices that are not listed",
    "totals.credit": "the credit that is not applied to an invoice yet",
    "interest": "the interest for late payment on the listed invoices that are overdue, in the"
    " currency of the carrying invoice; 0 when that is off",
    "fixed_sum": "the fixed sums for the cost of recovering them; 0 when that is off",
    "late_total": "those invoices with their interest and fixed sums; 0 when that is off",
    "interest_table": "how the interest is worked out, line by line; only in the body, not in an"
    " SMS; empty when that is off",
}
