"""Postal addresses: which a letter can be sent to, and why others are refused."""

from __future__ import annotations

import pytest

from messages.postal import as_posted, why_not

TROY = {
    "line1": "1 King St",
    "line2": "",
    "postal_code": "12180",
    "city": "Troy",
    "region": "NY",
    "country": "US",
}
PARIS = {"line1": "1 rue du Roi", "postal_code": "75001", "city": "Paris", "country": "FR"}


@pytest.mark.parametrize(
    "parts",
    [
        TROY,
        TROY | {"postal_code": "12180-1234", "region": "ny", "country": "us"},
        TROY | {"line1": "a" * 30, "line2": "b" * 20},
        TROY | {"region": "", "postal_code": "00901", "country": "PR"},
        TROY | {"region": "Guam", "postal_code": "96910", "country": "GU"},
        TROY | {"region": "", "postal_code": "00802", "country": "vi"},
        PARIS,
        PARIS | {"line1": "a" * 200},
        PARIS | {"postal_code": "", "region": "Île-de-France"},
    ],
)
def test_a_postal_address_that_is_complete_is_accepted(parts: dict[str, str]) -> None:
    assert why_not(parts) == ""


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({}, "no street"),
        (TROY | {"city": " "}, "no town"),
        (TROY | {"country": ""}, "no country"),
        (TROY | {"country": "USA"}, "'USA' is no country"),
        (PARIS | {"country": "XX"}, "'XX' is no country"),
        (TROY | {"region": "New York"}, "two letters"),
        (TROY | {"region": "ZZ"}, "two letters"),
        (TROY | {"postal_code": ""}, "ZIP"),
        (TROY | {"postal_code": "1218"}, "ZIP"),
        (TROY | {"postal_code": "12180 1234"}, "ZIP"),
        (TROY | {"country": "PR", "postal_code": "901"}, "ZIP"),
        (TROY | {"line1": "a" * 30, "line2": "b" * 21}, "50 characters together"),
        (PARIS | {"postal_code": ""}, "neither a postal_code nor a region"),
        (PARIS | {"line2": "a" * 201}, "line2 is longer than 200"),
        (PARIS | {"postal_code": "1" * 41}, "longer than 40"),
    ],
)
def test_a_bad_postal_address_is_refused_with_the_reason(parts: dict[str, str], words: str) -> None:
    assert words in why_not(parts)


def test_an_address_in_puerto_rico_is_posted_as_one_of_a_us_state() -> None:
    posted = as_posted(TROY | {"country": "pr", "region": ""})
    assert (posted["country"], posted["region"]) == ("US", "PR")
