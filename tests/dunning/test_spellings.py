"""The same email address in different spellings."""

from __future__ import annotations

from dunning.spellings import spellings


def test_an_address_in_punycode_is_recognised_as_the_one_with_letters() -> None:
    assert spellings("Ada@xn--Bcher-kva.example") == {
        "ada@xn--bcher-kva.example",
        "ada@bücher.example",
    }
    assert spellings("ada@xn--é.example") == {"ada@xn--é.example"}
    assert spellings("+33612345678") == {"+33612345678"}
    assert spellings("") == {""}
