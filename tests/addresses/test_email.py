"""Email addresses are compared in one form, their key."""

from __future__ import annotations

import pytest

from addresses.email import email_key, same_email


def test_addresses_are_compared_in_lower_case() -> None:
    assert email_key(" Eve@ACME.Example ") == "eve@acme.example"
    assert email_key("İx@acme.example") == "ix@acme.example"  # as PostgreSQL's lower() has it
    assert email_key("") == ""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("eve@acme.example", "eve@acme.example", True),
        ("eve@bücher.example", "eve@xn--bcher-kva.example", True),
        ("eve@bücher.example", "eve@bucher.example", False),
        ("straße@acme.example", "strasse@acme.example", False),
    ],
)
def test_spellings_of_one_address_have_one_key(one: str, other: str, same: bool) -> None:
    assert same_email(one, other) is same_email(other, one) is same
