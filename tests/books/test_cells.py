"""Amounts in cells are read exactly or refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from books.cells import check_amount, parse_amount


@given(st.text(max_size=30), st.sampled_from([".", ","]), st.sampled_from(["", " ", "'"]))
def test_an_amount_is_exact_or_refused(text: str, decimal: str, thousands: str) -> None:
    try:
        amount = parse_amount(text, decimal, thousands)
    except ValueError:
        return
    assert amount.is_finite()
    assert abs(amount) < 10**15
    if set(text) <= set("0123456789-" + decimal):
        assert amount == Decimal(text.replace(decimal, "."))


def test_an_amount_with_more_decimals_than_its_currency_is_refused() -> None:
    assert check_amount(Decimal("1.10"), "EUR") == Decimal("1.10")
    with pytest.raises(ValueError, match="more decimals than JPY"):
        check_amount(Decimal("1.1"), "JPY")
