"""The same email address in different spellings."""

from __future__ import annotations

from dunning.spellings import spellings


def test_an_address_that_comes_back_in_ascii_is_known_as_it_was_written() -> None:
    assert spellings("Ada@xn--Bcher-kva.example") == {
        "ada@xn--bcher-kva.example",
        "ada@bücher.example",
    }
    assert spellings("ada@xn--é.example") == {"ada@xn--é.example"}
    assert spellings("+33612345678") == {"+33612345678"}
    assert spellings("") == {""}
