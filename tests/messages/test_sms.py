"""The text of an SMS: segments, normalising, and answers such as STOP."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dunning.learnt import Wish
from messages.sms import Segments, normalise, segments, wish


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("", Segments("GSM-7", 0, 0)),
        ("a" * 160, Segments("GSM-7", 160, 1)),
        ("a" * 161, Segments("GSM-7", 161, 2)),
        ("a" * 306, Segments("GSM-7", 306, 2)),
        ("a" * 307, Segments("GSM-7", 307, 3)),
        ("€" * 80, Segments("GSM-7", 160, 1)),
        ("€" * 81, Segments("GSM-7", 162, 2)),
        ("ê" * 70, Segments("UCS-2", 70, 1)),
        ("ê" * 71, Segments("UCS-2", 71, 2)),
        ("ê" * 134, Segments("UCS-2", 134, 2)),
        ("ê" * 135, Segments("UCS-2", 135, 3)),
        ("😀" * 35, Segments("UCS-2", 70, 1)),
        ("😀" * 36, Segments("UCS-2", 72, 2)),
    ],
)
def test_the_segments_of_a_text_are_counted(text: str, cost: Segments) -> None:
    assert segments(text) == cost


def test_a_character_of_two_units_is_not_split_over_two_segments() -> None:
    """If it could be split, the longer texts would fit in two segments."""
    assert segments("a" * 152 + "€" + "a" * 151) == Segments("GSM-7", 305, 2)
    assert segments("a" * 152 + "€" + "a" * 152) == Segments("GSM-7", 306, 3)
    assert segments("ê" * 66 + "😀" + "ê" * 66) == Segments("UCS-2", 134, 3)


def test_the_gsm7_alphabet_is_that_of_the_standard() -> None:
    """3GPP TS 23.038: 127 characters, and 10 more after the escape character."""
    basic = [c for c in map(chr, range(0x3000)) if segments(c) == Segments("GSM-7", 1, 1)]
    extension = [c for c in map(chr, range(0x3000)) if segments(c) == Segments("GSM-7", 2, 1)]
    assert len(basic) == 127
    assert "".join(extension) == "\f[\\]^{|}~€"


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("1\u202f234,56\u00a0€", "1 234,56 €"),
        ("\u2018a\u2019 \u201cb\u201d \u00abc\u00bb \u201ed\u201f", '\'a\' "b" "c" "d"'),
        ("l\u02bcami \u00b4 `", "l'ami ' '"),
        ("1\u20132 \u2014 \u22125 \u2011 \u2022", "1-2 - -5 - -"),
        ("wait\u2026", "wait..."),
        ("e\u0301te\u0301", "été"),  # letter and accent as two characters
        ("\ufb01n, \ufb02at, c\u0153ur, \u0152uvre", "fin, flat, coeur, OEuvre"),
        ("N° 12, n° 3, № 4", "No 12, no 3, No 4"),
        ("in\u00advoice\u200b \ufeffdue \u200e1", "invoice due 1"),
        ("a\r\nb\tc", "a\nb c"),
        ("Amber® 2×3", "Amber(R) 2x3"),
    ],
)
def test_a_look_alike_keeps_the_text_in_gsm7(written: str, plain: str) -> None:
    assert normalise(written) == plain
    assert segments(plain).encoding == "GSM-7"


@pytest.mark.parametrize(
    "text",
    ["Forêt", "ça", "pagó", "złoty", "Ελλάδα", "Привет", "شكرا", "👍", "20°", "m²", "½"],
)
def test_characters_without_a_look_alike_are_kept(text: str) -> None:
    assert normalise(text) == text
    assert segments(text).encoding == "UCS-2"


def test_invisible_characters_are_kept_in_scripts_that_need_them() -> None:
    persian, family = "می\u200cخواهم", "👩\u200d👦"
    assert normalise(persian) == persian
    assert normalise(family) == family


@given(st.text())
@settings(max_examples=100)
def test_normalising_is_idempotent_and_never_needs_a_wider_alphabet(text: str) -> None:
    plain = normalise(text)
    assert normalise(plain) == plain
    if segments(text).encoding == "GSM-7":
        assert segments(plain).encoding == "GSM-7"


@pytest.mark.parametrize("text", ["STOP", " stop. ", "Stop!", "arrêt", "ARRET", "Stopall", "quit"])
def test_stop_and_its_synonyms_close_the_number(text: str) -> None:
    assert wish(text) is Wish.STOP


@pytest.mark.parametrize("text", ["START", "unstop", " Start\n"])
def test_start_and_its_synonyms_open_the_number_again(text: str) -> None:
    assert wish(text) is Wish.START


@pytest.mark.parametrize("text", ["", "yes", "please stop", "I cancel nothing", "help", "stopped"])
def test_any_other_reply_is_neither_stop_nor_start(text: str) -> None:
    assert wish(text) is None
