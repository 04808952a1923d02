"""The English labels of the tables. Data only."""

from __future__ import annotations

from messages.words.labels import Labels, LateLabels

ENGLISH = Labels(
    invoice="Invoice",
    issued="Issued",
    due="Due",
    total="Total",
    balance="Open",
    days="Days overdue",
    listed="Total listed:",
    outstanding="Total outstanding:",
    overdue="Of which overdue:",
    more="and {count} more",
    unlisted_note=(
        "The total outstanding of {total} includes {amount} on invoices that are not listed here."
    ),
    credit_note="A credit of {amount} has been deducted from the totals.",
    late=LateLabels(
        first="From",
        last="To",
        days="Days",
        rate="Rate a year",
        interest="Interest",
        total_interest="Interest for late payment:",
        fixed_sum="Fixed sum for recovery costs:",
        total="Total with interest and fixed sum:",
        no_rate_after="No interest on {invoice}: no rate is known for {country} after {day}.",
        no_rate_before="No interest on {invoice}: no rate is known for {country} before {day}.",
        no_rate="No interest on {invoice}: no rate is known for {country} in {currency}.",
    ),
)
