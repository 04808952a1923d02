"""Interest and the fixed sum on late invoices, line by line (Directive 2011/7/EU)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dunning.interest import Interest, Line, Unknown, late_interest, late_payment
from dunning.rates import COUNTRIES, FIXED_SUMS, RATES, Rate

DAY = timedelta(days=1)
FRENCH = [r for r in RATES if r.country == "FR"]


def rate(first: date, last: date, percent: str) -> Rate:
    return Rate("XX", first, last, Decimal(percent), Decimal(0), "a test")


def amounts(found: Interest) -> list[Decimal]:
    return [line.amount for line in found.lines]


def test_each_half_year_has_its_own_rate_and_line() -> None:
    """1200 EUR due on 31 May 2024, on 31 January 2025: by hand, 1200 × % × days / year."""
    found = late_interest(Decimal(1200), date(2024, 5, 31), date(2025, 1, 31), FRENCH)
    assert found.lines == (
        # 1200 × 14.50 % × 30 / 366 = 14.2623
        Line(date(2024, 6, 1), date(2024, 6, 30), 30, Decimal("14.50"), Decimal("14.26")),
        # 1200 × 14.25 % × 184 / 366 = 85.9672
        Line(date(2024, 7, 1), date(2024, 12, 31), 184, Decimal("14.25"), Decimal("85.97")),
        # 1200 × 13.15 % × 31 / 365 = 13.4022
        Line(date(2025, 1, 1), date(2025, 1, 31), 31, Decimal("13.15"), Decimal("13.40")),
    )
    assert found.total == Decimal("113.63")
    assert found.unknown is None


@pytest.mark.parametrize(
    ("due", "today", "days"),
    [
        (date(2025, 3, 3), date(2025, 3, 2), 0),
        (date(2025, 3, 3), date(2025, 3, 3), 0),  # the due date is still in time
        (date(2025, 3, 3), date(2025, 3, 4), 1),
        (date(2025, 3, 3), date(2025, 3, 15), 12),
        (date(2025, 6, 30), date(2025, 7, 1), 1),
        (date(2025, 6, 29), date(2025, 7, 1), 2),
        (date(2024, 2, 28), date(2024, 3, 1), 2),  # a leap day
        (date(2024, 12, 31), date(2025, 12, 31), 365),
    ],
)
def test_interest_is_counted_from_the_day_after_the_due_date_to_today(
    due: date, today: date, days: int
) -> None:
    found = late_interest(Decimal(100), due, today, FRENCH)
    assert sum(line.days for line in found.lines) == days
    assert all((line.last - line.first).days + 1 == line.days for line in found.lines)


@pytest.mark.parametrize("year", [2023, 2024])
def test_a_delay_of_one_year_costs_the_yearly_rate_in_a_leap_year_too(year: int) -> None:
    flat = [rate(date(2020, 1, 1), date(2030, 12, 31), "10")]
    found = late_interest(Decimal(1000), date(year - 1, 12, 31), date(year, 12, 31), flat)
    assert amounts(found) == [Decimal("100.00")]


def test_a_line_of_interest_is_within_one_year() -> None:
    """Its days are counted over the length of one year: 100 × 10 % × (1/366 + 1/365)."""
    flat = [rate(date(2020, 1, 1), date(2030, 12, 31), "10")]
    found = late_interest(Decimal(100_000), date(2024, 12, 30), date(2025, 1, 1), flat)
    assert amounts(found) == [Decimal("27.32"), Decimal("27.40")]


@pytest.mark.parametrize(
    ("places", "shown"), [(0, "1"), (2, "0.50"), (3, "0.500")]
)  # half of the smallest unit goes up
def test_a_line_of_interest_is_rounded_half_up_to_the_currencys_decimals(
    places: int, shown: str
) -> None:
    flat = [rate(date(2025, 1, 1), date(2025, 12, 31), "18.25")]
    found = late_interest(Decimal(1000), date(2025, 3, 3), date(2025, 3, 4), flat, places)
    assert str(found.lines[0].amount) == shown


def test_the_decimal_context_of_the_thread_changes_no_amount() -> None:
    with localcontext() as rough:
        rough.prec = 4
        found = late_interest(Decimal("123456789.99"), date(2024, 5, 31), date(2024, 6, 30), FRENCH)
    assert amounts(found) == [Decimal("1467314.31")]


@pytest.mark.parametrize("balance", ["0", "-5"])
def test_an_amount_that_is_not_owed_bears_no_interest(balance: str) -> None:
    assert late_interest(Decimal(balance), date(2025, 1, 1), date(2025, 9, 1), FRENCH) == Interest()


# A rate that is not known.


@pytest.mark.parametrize(
    ("due", "today", "unknown"),
    [
        (date(2026, 12, 30), date(2026, 12, 31), None),
        (date(2026, 12, 30), date(2027, 1, 1), Unknown(after=date(2026, 12, 31))),
        (date(2030, 1, 1), date(2030, 2, 1), Unknown(after=date(2026, 12, 31))),
        (date(2019, 12, 31), date(2020, 1, 2), None),
        (date(2019, 12, 30), date(2020, 1, 2), Unknown(before=date(2020, 1, 1))),
    ],
)
def test_one_day_without_a_known_rate_leaves_no_interest(
    due: date, today: date, unknown: Unknown | None
) -> None:
    found = late_interest(Decimal(100), due, today, FRENCH)
    assert found.unknown == unknown
    assert bool(found.lines) is (unknown is None)
    assert bool(found.total) is (unknown is None)


def test_there_is_no_interest_over_a_gap_between_two_rates() -> None:
    holed = [
        rate(date(2025, 1, 1), date(2025, 1, 31), "10"),
        rate(date(2025, 3, 1), date(2025, 3, 31), "10"),
    ]
    found = late_interest(Decimal(100), date(2025, 1, 5), date(2025, 3, 5), holed)
    assert found == Interest(unknown=Unknown(after=date(2025, 1, 31)))


@pytest.mark.parametrize(("country", "currency"), [("IE", "EUR"), ("FR", "USD"), ("", "EUR")])
def test_a_country_or_currency_without_records_has_no_interest_and_is_named_unknown(
    country: str, currency: str
) -> None:
    found = late_payment(
        [("INV-1", Decimal(100), date(2025, 3, 3))], country, currency, date(2025, 3, 15)
    )
    assert [found.interest, found.fixed_sum, found.total] == [Decimal(n) for n in (0, 0, 100)]
    assert found.invoices[0].interest.unknown == Unknown()


# Several invoices.


def test_the_fixed_sum_is_for_each_invoice_that_is_late() -> None:
    found = late_payment(
        [
            ("INV-1", Decimal(1000), date(2025, 3, 3)),
            ("INV-2", Decimal(500), date(2025, 3, 4)),
            ("TODAY", Decimal(70), date(2025, 3, 5)),
            ("PAID", Decimal(0), date(2025, 3, 3)),
        ],
        "DE",
        "EUR",
        date(2025, 3, 5),
    )
    assert [i.number for i in found.invoices] == ["INV-1", "INV-2"]
    # 1000 × 11.27 % × 2 / 365 = 0.6175; 500 × 11.27 % × 1 / 365 = 0.1544
    assert [i.interest.total for i in found.invoices] == [Decimal("0.62"), Decimal("0.15")]
    assert (found.interest, found.fixed_sum) == (Decimal("0.77"), Decimal(80))
    assert found.total == Decimal("1580.77")


@given(
    st.decimals("0.01", 10**9, places=2),
    st.dates(date(2019, 6, 1), date(2027, 6, 1)),
    st.dates(date(2019, 6, 1), date(2027, 6, 1)),
    st.sampled_from(COUNTRIES),
)
def test_lines_of_interest_have_no_gap_and_add_up_to_the_total(
    balance: Decimal, due: date, today: date, country: str
) -> None:
    found = late_payment([("INV-1", balance, due)], country, "EUR", today)
    for invoice in found.invoices:
        lines = invoice.interest.lines
        assert found.interest == sum((line.amount for line in lines), Decimal(0))
        assert found.total == balance + found.interest + 40
        if lines:
            assert (lines[0].first, lines[-1].last) == (due + DAY, today)
            assert all(a.last + DAY == b.first for a, b in pairwise(lines))
        else:
            assert invoice.interest.unknown is not None


# The records.


@pytest.mark.parametrize("country", COUNTRIES)
def test_the_rates_of_a_country_have_no_gap_and_never_overlap(country: str) -> None:
    mine = [r for r in RATES if r.country == country]
    assert mine[0].valid_from == date(2020, 1, 1)
    assert all(a.valid_until + DAY == b.valid_from for a, b in pairwise(mine))
    for r in mine:
        assert (r.valid_from.day, r.valid_from.month) in ((1, 1), (1, 7))
        assert (r.valid_until + DAY).month == (7 if r.valid_from.month == 1 else 1)
        assert 0 < (r.valid_until - r.valid_from).days < 185
        assert r.source
    [fixed] = [f for f in FIXED_SUMS if f.country == country]
    assert (fixed.amount, fixed.currency) == (Decimal(40), "EUR")
    assert fixed.source


@pytest.mark.parametrize(
    ("country", "day", "percent"),
    [
        ("FR", date(2020, 1, 1), "10"),
        ("FR", date(2023, 6, 30), "12.5"),
        ("NL", date(2023, 7, 1), "12"),
        ("ES", date(2024, 12, 31), "12.25"),
        ("IT", date(2025, 7, 1), "10.15"),
        ("NL", date(2026, 2, 1), "10.15"),
        ("NL", date(2026, 7, 1), "10.4"),
        ("DE", date(2022, 12, 31), "8.12"),
        ("DE", date(2024, 1, 1), "12.62"),
        ("DE", date(2026, 6, 30), "10.27"),
    ],
)
def test_statutory_rates_are_those_published(country: str, day: date, percent: str) -> None:
    [found] = [r for r in RATES if r.country == country and r.valid_from <= day <= r.valid_until]
    assert found.percent == Decimal(percent)


def test_a_half_year_without_a_published_rate_has_none() -> None:
    assert max(r.valid_until for r in RATES if r.country == "DE") == date(2026, 6, 30)
    assert "IE" not in COUNTRIES
    assert all(
        "secondary source" in r.source
        for r in RATES
        if r.country != "DE" and r.valid_from.year == 2026
    )
