"""Late payment (Directive 2011/7/EU): simple interest on an invoice, line by line, and a fixed sum.

Interest runs on the balance open today, from the day after the due date up to and including today,
at the rate of each half-year. A line counts days / 365, in a leap year days / 366, so that a whole
year costs exactly the yearly rate. Each line is rounded half up to the currency's decimals; the
total is the sum of the rounded lines. If the rate of one day is not known there is no interest at
all, but the reason.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

from dunning.currency import CURRENCIES
from dunning.rates import FIXED_SUMS, RATES, FixedSum, Rate

_DAY = timedelta(days=1)
_ZERO = Decimal(0)
# Not the context of the thread, which may have less precision than a column of the database.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Line:
    """``days`` counts both ``first`` and ``last``; ``percent`` is the rate of a whole year."""

    first: date
    last: date
    days: int
    percent: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why there is no interest: no rate is known after the day ``after`` or before the day
    ``before``; without either, none at all for this country and currency."""

    after: date | None = None
    before: date | None = None


@dataclass(frozen=True, slots=True)
class Interest:
    """``total`` is the sum of the lines. No lines: nothing is late, or ``unknown`` says why."""

    lines: tuple[Line, ...] = ()
    unknown: Unknown | None = None

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), _ZERO)


@dataclass(frozen=True, slots=True)
class LateInvoice:
    """One invoice with what the law adds to it, in its own currency."""

    number: str
    balance: Decimal
    due_on: date
    interest: Interest
    fixed_sum: Decimal


@dataclass(frozen=True, slots=True)
class LatePayment:
    """What the law of ``country`` adds to the invoices that are late, all in ``currency``."""

    country: str
    currency: str
    invoices: tuple[LateInvoice, ...] = ()

    @property
    def interest(self) -> Decimal:
        return sum((i.interest.total for i in self.invoices), _ZERO)

    @property
    def fixed_sum(self) -> Decimal:
        return sum((i.fixed_sum for i in self.invoices), _ZERO)

    @property
    def total(self) -> Decimal:
        """The balances with interest and fixed sums."""
        return sum((i.balance for i in self.invoices), _ZERO) + self.interest + self.fixed_sum


def late_interest(
    balance: Decimal, due_on: date, today: date, rates: Sequence[Rate], places: int = 2
) -> Interest:
    """The interest on ``balance``; ``rates`` are those of one country and currency, ``places`` the
    currency's decimals. All days are local ones. Directive 2011/7/EU, art. 2(5) to (7) and 3."""
    if balance <= 0 or today <= due_on:
        return Interest()
    lines: list[Line] = []
    day = due_on + _DAY
    while True:
        rate = next((r for r in rates if r.valid_from <= day <= r.valid_until), None)
        if rate is None:
            return Interest(unknown=_unknown(day, rates))
        last = min(today, rate.valid_until, date(day.year, 12, 31))
        days = (last - day).days + 1
        amount = _amount(balance, rate.percent, days, day.year, places)
        lines.append(Line(day, last, days, rate.percent, amount))
        if last == today:
            return Interest(tuple(lines))
        day = last + _DAY


def late_payment(
    invoices: Iterable[tuple[str, Decimal, date]],
    country: str,
    currency: str,
    today: date,
    rates: Sequence[Rate] = RATES,
    fixed_sums: Sequence[FixedSum] = FIXED_SUMS,
) -> LatePayment:
    """What the law of ``country`` adds today to invoices (number, balance, due date), all in
    ``currency``; those that are not late are left out. Nothing is converted: an amount in a
    currency that the country's records do not have gets neither interest nor a fixed sum."""
    mine = [r for r in rates if (r.country, r.currency) == (country, currency)]
    fixed = sum(
        (f.amount for f in fixed_sums if (f.country, f.currency) == (country, currency)), _ZERO
    )
    places = CURRENCIES.get(currency, 2)
    late = tuple(
        LateInvoice(
            number, balance, due_on, late_interest(balance, due_on, today, mine, places), fixed
        )
        for number, balance, due_on in invoices
        if due_on < today and balance > 0
    )
    return LatePayment(country, currency, late)


def _amount(balance: Decimal, percent: Decimal, days: int, year: int, places: int) -> Decimal:
    share = _EXACT.multiply(_EXACT.multiply(balance, percent), Decimal(days))
    exact = _EXACT.divide(share, Decimal(36600 if isleap(year) else 36500))
    return exact.quantize(Decimal(1).scaleb(-places), context=_EXACT)


def _unknown(day: date, rates: Sequence[Rate]) -> Unknown:
    earlier = [r.valid_until for r in rates if r.valid_until < day]
    if earlier:
        return Unknown(after=max(earlier))
    return Unknown(before=min((r.valid_from for r in rates), default=None))
