"""The labels that a language has for the tables of invoices and of interest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LateLabels:
    """Labels for interest on late payment. ``no_rate…`` are format strings: invoice, country, and
    the day or the currency."""

    first: str
    last: str
    days: str
    rate: str
    interest: str
    total_interest: str
    fixed_sum: str
    total: str
    no_rate_after: str
    no_rate_before: str
    no_rate: str


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of the tables. Format strings are ``more`` (count), ``unlisted_note`` (total, amount)
    and ``credit_note`` (amount)."""

    invoice: str
    issued: str
    due: str
    total: str
    balance: str
    days: str
    listed: str
    outstanding: str
    overdue: str
    more: str
    unlisted_note: str
    credit_note: str
    late: LateLabels
