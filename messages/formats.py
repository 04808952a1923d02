"""Amounts and dates as a language writes them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency

from messages.lines import one_line


class Amount(Decimal):
    """An amount with its currency, so that a template can print it without naming the currency."""

    currency: str

    @classmethod
    def of(cls, value: Decimal, currency: str) -> Amount:
        amount = cls(value)
        amount.currency = currency
        return amount


def money(value: Decimal, currency: str, locale: Locale) -> str:
    """The amount as the language writes it, with the currency's own number of decimals."""
    currency = one_line(currency, 10)
    try:
        return str(format_currency(value, currency, locale=locale))
    except InvalidOperation:  # more digits than Babel can round
        return f"{value} {currency}"


def day(value: date, locale: Locale, form: str = "long") -> str:
    """``form``: short, medium, long or full."""
    return str(format_date(value, form, locale=locale))
