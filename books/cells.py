"""Reads cells that other programs wrote: dates, amounts, whole numbers."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from dunning.currency import CURRENCIES
from dunning.excerpt import shorten

_FRACTION = re.compile(r"([.,])%f")
#: A float cannot represent every whole number above this.
_EXACT_FLOAT = 2**53


class Unreadable(ValueError):
    """A cell that cannot be read. ``cause`` is the reason without the cell's ``value``."""

    def __init__(self, value: str, cause: str) -> None:
        super().__init__(f"{shorten(value)!r} {cause}")
        self.value = value
        self.cause = cause


class MoreDecimals(Unreadable):
    """An amount with more decimals than its currency has."""

    def __init__(self, amount: Decimal, currency: str, places: int) -> None:
        super().__init__(str(amount), f"has more decimals than {currency}, which has {places}")

    def __str__(self) -> str:
        return f"{self.value} {self.cause}"


def parse_date(text: str, form: str = "") -> date:
    """A real date between 1900 and 2200, in ISO form if ``form`` is empty. Raises ValueError."""
    try:
        on = _date(text, form)
    except ValueError:
        wanted = f"a date of the form {form!r}" if form else "a date as 2025-03-31"
        raise Unreadable(text, f"is not {wanted}") from None
    if not 1900 <= on.year <= 2200:
        raise Unreadable(text, "is not between the years 1900 and 2200")
    return on


@lru_cache(maxsize=8192)  # a book has many rows but few different dates
def _date(text: str, form: str) -> date:
    if not text.isascii() or len(text) > 100:
        raise ValueError
    if form:
        # strptime reads at most six digits of a second; other programs write nine or more.
        if fraction := _FRACTION.search(form):
            text = re.sub(rf"(?<={re.escape(fraction[1])}[0-9]{{6}})[0-9]+", "", text)
        return datetime.strptime(text, form).date()  # noqa: DTZ007 - the day as it is written
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError
    return date.fromisoformat(text)


def parse_amount(text: str, decimal: str = ".", thousands: str = "", strip: str = "") -> Decimal:
    """A plain decimal: no exponent, at most 15 digits before the point. Raises ValueError."""
    plain = text.translate({ord(sign): None for sign in strip}).strip() if strip else text
    match = _amount(decimal, thousands).fullmatch(plain)
    if match is None:
        raise Unreadable(text, f"is not a plain amount such as 1{thousands}234{decimal}50")
    sign, whole, fraction = match.groups()
    return Decimal(f"{sign}{re.sub('[^0-9]', '', whole)}.{fraction or '0'}")


@lru_cache(maxsize=64)
def _amount(decimal: str, thousands: str) -> re.Pattern[str]:
    group = "[ \u00a0\u202f]" if thousands == " " else re.escape(thousands)
    grouped = f"[0-9]{{1,3}}(?:{group}[0-9]{{3}}){{1,4}}|" if thousands else ""
    return re.compile(f"([+-]?)({grouped}[0-9]{{1,15}})(?:{re.escape(decimal)}([0-9]{{1,40}}))?")


def check_amount(amount: Decimal, currency: str) -> Decimal:
    """The amount with exactly the currency's decimals. Raises ValueError if it has more."""
    places = CURRENCIES[currency]
    exact = round(amount, places)
    if exact != amount:
        raise MoreDecimals(amount, currency, places)
    return exact


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """The amount rounded half to even to the currency's decimals: 1.7899999995 becomes 1.79."""
    return round(amount, CURRENCIES[currency])


def whole_number(text: str) -> str:
    """``2960623488.0`` becomes ``2960623488``; a text that is not a number stays as it is. Raises
    Unreadable for a number that is not whole, or too large for a float to be exact."""
    if re.fullmatch(r"[+-]?[0-9.]+[eE][+-]?[0-9]+", text):
        raise Unreadable(text, "is not written out; its digits may be lost")
    number = re.fullmatch(r"([+-]?[0-9]+)\.([0-9]*)", text)
    if number is None:
        return text
    if number[2].strip("0"):
        raise Unreadable(text, "is not a whole number")
    if abs(int(number[1])) > _EXACT_FLOAT:
        raise Unreadable(text, "has more digits than a float keeps")
    return number[1]
