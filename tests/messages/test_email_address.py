"""Email addresses: how they are compared, written for a provider, or refused with a reason."""

from __future__ import annotations

import pytest

from messages.email_address import for_the_wire, in_ascii, why_not
from messages.message import BadAddress


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("Ada.Byron+x@Acme.example", "Ada.Byron+x@Acme.example"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@例え.jp", "ada@xn--r8jz45g.jp"),
    ],
)
def test_an_international_domain_is_sent_in_ascii(address: str, sent: str) -> None:
    assert for_the_wire(address) == sent


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("a..b@acme.example", "a dot stands"),
        (".a@acme.example", "a dot stands"),
        ("a.@acme.example", "a dot stands"),
        ("a@acme..example", "a dot stands"),
        ("a@.example", "a dot stands"),
        ("a@acme.example.", "a dot stands"),
        ("é@acme.example", "letters"),
        ("a b@acme.example", "a character"),
        ("a@acme", "no domain"),
        ("a@-acme.example", "no domain"),
        ("a@ac me.example", "no domain"),
        ("a@\u200d.example", "no domain"),
        ("a@127.0.0.1", "ends with a number"),
        ("acme.example", "name@domain"),
        ("a" * 65 + "@acme.example", "longer"),
        ("a@" + "a." * 130 + "example", "longer"),
    ],
)
def test_an_impossible_email_address_is_refused_with_the_reason(address: str, words: str) -> None:
    assert words in why_not(address)
    with pytest.raises(BadAddress) as refused:
        for_the_wire(address)
    assert refused.value.address == address
    assert in_ascii(address) == address
