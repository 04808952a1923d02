"""A letter's PDF: the texts and their positions."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from messages.letter.paper import Paper
from messages.letter.pdf import pdf
from messages.message import BadMessage, Postal, Recipient, Role
from tests.cast.printed import ADDRESS, INCH, MM, letter, lines, pages, size_of, texts


def test_a_message_has_the_same_pdf_bytes_in_every_process() -> None:
    code = (
        "import sys; from tests.cast.printed import Paper, letter, pdf;"
        "sys.stdout.buffer.write(b''.join(pdf(letter(), paper) for paper in Paper))"
    )
    elsewhere = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env={"PYTHONHASHSEED": "1"},
        capture_output=True,
        check=True,
    )
    assert elsewhere.stdout == b"".join(pdf(letter(), paper) for paper in Paper)
    assert set(re.findall(rb"D:(\d{4})", elsewhere.stdout)) == {b"2000"}, "no date of today"


def test_another_text_gives_other_pdf_bytes() -> None:
    assert pdf(letter(), Paper.A4) != pdf(letter(text="Another."), Paper.A4)


def test_sender_address_subject_and_text_are_printed_in_order() -> None:
    message = letter(text="Dear Ada,\n\nINV-1 is open.\n\nSam\n")
    assert texts(message) == [
        "Sam",
        "Ada Byron",
        "12 rue de l'Église",
        "75011 Paris",
        "Payment reminder",
        "Dear Ada,",
        "INV-1 is open.",
        "Sam",
        "1 / 1",
    ]
    assert [p.text for p in lines(message) if p.bold] == ["Payment reminder"]
    dear, invoice, sam = lines(message)[5:8]
    assert dear.y - invoice.y == pytest.approx(invoice.y - sam.y), "an empty line stays empty"


def test_a_name_that_is_part_of_the_address_is_printed_once() -> None:
    to = Recipient(Role.TO, f"Ada Byron\n{ADDRESS}", "Ada Byron")
    assert texts(letter(recipients=(to,))).count("Ada Byron") == 1


def test_a_us_letter_keeps_the_windows_of_lobs_envelope_clear() -> None:
    """Lob prints both addresses there. The paper can slide by an inch, or half an inch down."""
    message = letter(sender_name="Amber & Sons " * 15, text="words " * 4000)
    made = pdf(message, Paper.US_LETTER)
    assert size_of(made) == pytest.approx([8.5 * INCH, 11 * INCH], abs=0.1)
    first, *_, last = pages(made)
    for piece in first:
        above = 11 * INCH - piece.y - piece.size  # to the top of the letters
        assert piece.x >= 4.63 * INCH or above >= 3.13 * INCH, piece
    assert not {"Ada Byron", "75011 Paris"} & {p.text for p in first}
    assert last[0].y == pytest.approx(11 * INCH - 25 * MM, abs=0.1)


@pytest.mark.parametrize(
    ("country", "left", "right", "top", "bottom"),
    [("FR", 110, 190, 45, 79), ("DE", 20, 105, 50, 90), ("", 20, 105, 50, 90)],
)
def test_the_address_is_printed_in_the_envelope_window_of_the_country(
    country: str, left: float, right: float, top: float, bottom: float
) -> None:
    """DL envelope, folded twice: the area visible in every position of the paper (mm from
    corner)."""
    postal = Postal("12 rue", "Paris", country) if country else None
    lined = "Acme, Department of Payments and Other Unpleasant Affairs\nB\nC\nD"
    message = letter(recipients=(Recipient(Role.TO, lined, "Ada", postal=postal),))
    made = pdf(message, Paper.A4)
    assert size_of(made) == pytest.approx([210 * MM, 297 * MM], abs=0.1)
    sender, *address = pages(made)[0][:7]
    assert [p.text for p in address[-3:]] == ["B", "C", "D"]
    for piece in address:
        assert left * MM <= piece.x
        assert piece.end <= right * MM
        assert 297 * MM - piece.y - piece.size >= top * MM
        assert 297 * MM - piece.y <= bottom * MM
    assert (sender.x < 105 * MM) == (country == "FR"), "the letterhead stands on the other side"


def test_an_address_that_the_window_cannot_show_is_refused() -> None:
    tall = Recipient(Role.TO, "\n".join("ABCDEFG"), "")
    with pytest.raises(BadMessage, match=r"recipient address.*6 lines"):
        pdf(letter(recipients=(tall,)), Paper.A4)
    assert pdf(letter(recipients=(tall,)), Paper.US_LETTER), "Lob prints the address"


def test_every_language_of_europe_and_the_euro_are_printed() -> None:
    said = ["1 234,56 € – „Łódź“ Škoda ő ğ", "Αγαπητή Άντα Ωμέγα", "Уважаемая Ада, ґ ѓ"]
    assert texts(letter(text="\n".join(said)))[5:8] == said


def test_special_spaces_become_plain_and_invisible_characters_are_removed() -> None:
    text = "1\u202f234,56\u00a0€\tA\u2009B\u200b\ufeff\u00adC\r\nD e\u0301"
    assert texts(letter(text=text))[5:7] == ["1 234,56 €    A BC", "D é"]


def test_a_line_never_breaks_inside_an_amount() -> None:
    text = " ".join(["1\u202f234,56\u00a0€"] * 200)
    for line in texts(letter(text=text))[5:-1]:
        assert re.fullmatch(r"(1 234,56 € ?)+", line)


@pytest.mark.parametrize("part", ["text", "subject", "sender_name"])
@pytest.mark.parametrize("said", ["שלום", "नमस्ते", "日本", "\U0001f600", "\ufffd"])
def test_characters_that_the_font_lacks_are_refused_and_named(part: str, said: str) -> None:
    with pytest.raises(BadMessage) as raised:
        pdf(letter(**{part: f"Dear {said}"}), Paper.A4)
    assert raised.value.part == part.replace("_", " ")
    assert any(repr(c) in raised.value.reason for c in said)
    assert "'D'" not in raised.value.reason


@pytest.mark.parametrize("paper", list(Paper))
def test_a_long_text_is_printed_whole_and_in_order_inside_the_margins(paper: Paper) -> None:
    words = [f"word{i}" for i in range(3000)]
    made = pdf(letter(text=" ".join(words)), paper)
    found = pages(made)
    assert len(found) > 2
    width, _ = size_of(made)
    said = []
    for number, page in enumerate(found, 1):
        *body, count = page
        assert count.text == f"{number} / {len(found)}"
        assert (count.x + count.end) / 2 == pytest.approx(width / 2, abs=0.5)
        said += [p.text for p in body if p.text.startswith("word")]
        for piece in body:
            assert piece.end <= width - 19.9 * MM
            assert piece.y > count.y + 10 * MM
    assert " ".join(said).split() == words


def test_a_word_wider_than_the_page_is_broken_without_loss() -> None:
    word = "x" * 500
    parts = texts(letter(text=f"a {word} b"))[5:-1]
    assert "".join(parts).replace(" ", "") == f"a{word}b"
    assert len(parts) > 3


@pytest.mark.parametrize("before", ["", "x\n"], ids=["even", "odd"])
def test_a_page_does_not_begin_with_an_empty_line(before: str) -> None:
    _, *more = pages(pdf(letter(text=before + "x\n\n" * 60), Paper.A4))
    assert len(more) > 1
    for page in more:
        assert page[0].y == pytest.approx((297 - 25) * MM, abs=0.1)


@pytest.mark.parametrize(("paper", "most"), [(Paper.A4, 20), (Paper.US_LETTER, 12)])
def test_a_letter_with_too_many_pages_is_refused(paper: Paper, most: int) -> None:
    first, second, _ = (
        [p.text for p in page] for page in pages(pdf(letter(text="x\n" * 100), paper))
    )
    full = first.count("x") + (most - 1) * second.count("x")
    assert len(pages(pdf(letter(text="x\n" * full), paper))) == most
    with pytest.raises(BadMessage, match=f"text: is longer than the {most} pages"):
        pdf(letter(text="x\n" * (full + 1)), paper)
    with pytest.raises(BadMessage):  # one word
        pdf(letter(text="x" * 200_000), paper)
