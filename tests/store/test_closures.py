"""Addresses as closures know them, and what was heard about them, without a database."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from addresses.kinds import EMAIL, PHONE, key_of, same
from dunning.closures import Heard, Source, closing, opened_at

NOW = datetime(2025, 3, 4, 9, tzinfo=UTC)


def test_an_address_has_the_key_of_its_kind() -> None:
    assert key_of(EMAIL, " Eve@ACME.Example", "") == "eve@acme.example"
    assert key_of(PHONE, "06 12 34 56 78", "FR") == "+33612345678"
    assert same(EMAIL, "eve@b\u00fccher.example", "eve@xn--bcher-kva.example")
    assert same(PHONE, "0612345678", "+33612345678")
    assert not same(PHONE, "+41612345678", "+33612345678")


def word(source: Source, closed: bool, minute: int) -> Heard:
    return Heard(source, closed, "x", NOW + timedelta(minutes=minute), f"{source} {minute}")


def test_a_complaint_holds_until_a_member_opens_the_address_later() -> None:
    complaint, start = word(Source.COMPLAINT, True, 5), word(Source.CALLBACK, False, 9)
    for opened, found in ((4, complaint), (5, None), (6, None)):
        words = [complaint, start, word(Source.MEMBER, False, opened)]
        for order in itertools.permutations(words):
            assert closing(order) == found
            assert opened_at(order) == (None if found else start.at)


def test_a_later_callback_opens_an_address_that_a_member_closed() -> None:
    assert closing([word(Source.MEMBER, True, 1), word(Source.CALLBACK, False, 2)]) is None
    closed = word(Source.MEMBER, True, 2)
    assert closing([closed, word(Source.CALLBACK, False, 2)]) == closed
    assert closing([]) is None
    assert opened_at([]) is None


def test_of_two_callbacks_at_one_instant_the_closing_one_holds() -> None:
    stop, start = word(Source.CALLBACK, True, 1), word(Source.CALLBACK, False, 1)
    assert (stop.replaces(start), start.replaces(stop)) == (True, False)
