"""Phone numbers are compared in one form, their key."""

from __future__ import annotations

import pytest

from addresses.phone import phone_key, same_phone
from messages.phone import mobile


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("06 12 34 56 78", "FR"),
        ("+33 (0)6 12 34 56 78", ""),
        ("0033 6 12 34 56 78", "fr "),
        ("07400 123456", "GB"),
        ("(202) 555-0143", "US"),
        ("011 15-2345-6789", "AR"),
        ("+41 79 123 45 67", "FR"),
    ],
)
def test_a_number_is_compared_as_the_channel_writes_to_it(written: str, country: str) -> None:
    key = phone_key(written, country)
    assert key == mobile(written, country)
    assert phone_key(key, country) == phone_key(key, "") == key


@pytest.mark.parametrize(
    ("written", "country", "key"),
    [
        ("01 42 68 53 00", "FR", "+33142685300"),  # a landline
        ("06 12 34", "FR", "+33061234"),  # not valid
        ("06 12 34 56 78", "", "0612345678"),
        ("06 12 34 56 78", "UK", "0612345678"),
        ("ask Ada", "FR", ""),
        ("", "", ""),
        ("1" * 400, "FR", "1" * 400),
    ],
)
def test_every_number_has_a_key_for_comparison(written: str, country: str, key: str) -> None:
    assert phone_key(written, country) == key


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+33612345678", "+33612345678", True),
        ("+33612345678", "+41612345678", False),
        ("0612345678", "+33612345678", True),
        ("0612345678", "0033612345678", True),
        ("0612345679", "+33612345678", False),
        ("5678", "+33612345678", False),
        ("", "", False),
    ],
)
def test_spellings_of_one_number_have_one_key(one: str, other: str, same: bool) -> None:
    assert same_phone(one, other) is same_phone(other, one) is same


def test_the_key_of_a_number_is_cached() -> None:
    phone_key.cache_clear()
    for _ in range(3):
        phone_key("06 12 34 56 78", "FR")
    assert (phone_key.cache_info().misses, phone_key.cache_info().hits) == (1, 2)
