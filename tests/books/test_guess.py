"""A guessed map: certain and doubtful choices; the file can be read with it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from books.book import read_book
from books.errors import BookError, RowError
from books.guess import Guess, guess
from books.read_map import read_map
from books.row import BookRow
from books.write_map import write_map

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
DATAFRAME = """\
cust_number,name_customer,clear_date,fiscal_year,doc_id,created,due_in_date,ccy,open_amount,flag
0200769623,MOSS,2020-02-11 00:00:00.000000000,20.0,1930438491.0,20200125,20200210.0,USD,54273.28,
0200980828,BEN E,NaT,2019.0,1929646410.0,20190722,20190811.0,USD,79656.5999999,0
"""
GERMAN = """\
Kd-Nr;Firma;Rechnungs-Nr;Rechnungsdatum;Fällig am;Brutto;Bezahlt am
7001;Ahorn;R1;13.02.2025;05.03.2025;1.284,50 €;
7002;Birke;R2;04.02.2025;06.03.2025;318,00 €;01.03.2025
"""
FRENCH = """\
Code client\tRaison sociale\tNo facture\tDate d'émission\tÉchéance\tMontant TTC\tDevise\tRéglé le
A1\tAubépine\tF1\t28/02/2025\t30/03/2025\t1 284,50\tEUR\t
"""


def of(text: str) -> Guess:
    return guess(io.BytesIO(text.encode()))


def lines(found: Guess) -> list[str]:
    """The map without its comments."""
    written = (line.partition("     #")[0] for line in write_map(found, "x.csv").splitlines())
    return [line for line in written if line and not line.startswith("#")]


def read(text: str, map_text: str) -> list[BookRow | RowError]:
    return list(read_book(io.BytesIO(text.encode()), read_map(map_text)))


def test_the_map_of_a_dataframe_export_is_guessed() -> None:
    found = of(DATAFRAME)
    assert found.doubts == []
    assert lines(found) == [
        "round = true",
        'whole_numbers = ["doc_id", "due_in_date"]',
        'empty = ["NaT"]',
        'customer = {column = "cust_number"}',
        'customer_name = {column = "name_customer"}',
        'invoice = {column = "doc_id"}',
        'issued_on = {column = "created", date_format = "%Y%m%d"}',
        'due_on = {column = "due_in_date", date_format = "%Y%m%d"}',
        'total = {column = "open_amount"}',
        'currency = {column = "ccy"}',
        'paid_on = {column = "clear_date", date_format = "%Y-%m-%d %H:%M:%S.%f"}',
    ]
    rows = read(DATAFRAME, write_map(found, "x.csv"))
    assert [(r.invoice, str(r.total), r.rounded) for r in rows if isinstance(r, BookRow)] == [
        ("1930438491", "54273.28", False),
        ("1929646410", "79656.60", True),
    ]


def test_german_headers_and_amounts_and_a_currency_sign_are_recognised() -> None:
    found = of(GERMAN)
    assert found.doubts == []
    text = write_map(found, "x.csv")
    assert 'currency = {constant = "EUR"}     # the amounts have the sign €' in text
    assert all(isinstance(row, BookRow) for row in read(GERMAN, text))


def test_french_headers_and_tabs_are_recognised() -> None:
    found = of(FRENCH)
    assert found.choices["issued_on"].header == "Date d'émission"
    assert all(isinstance(row, BookRow) for row in read(FRENCH, write_map(found, "x.csv")))


def test_a_book_in_our_own_form_needs_no_map() -> None:
    with (EXAMPLES / "book.csv").open("rb") as file:
        assert guess(file).plain
    assert not of(GERMAN).plain


def test_an_ambiguous_day_and_month_are_marked_for_review() -> None:
    found = of(
        "customer,invoice,issued_on,total,currency,paid_on,due_on\nC,I,03/04/2025,1.00,EUR,,\n"
    )
    assert found.doubts == ["issued_on"]
    choice = found.choices["issued_on"]
    assert (choice.date_format, choice.other_format) == ("%d/%m/%Y", "%m/%d/%Y")
    assert '# It could also be date_format = "%m/%d/%Y"' in write_map(found, "x.csv")


def test_an_unambiguous_date_column_decides_the_format_of_the_others() -> None:
    found = of(
        "customer,invoice,issued_on,total,currency,paid_on,due_on\n"
        "C,I,03/04/2025,1.00,EUR,,03/31/2025\n"
    )
    assert found.doubts == []
    assert found.choices["issued_on"].date_format == "%m/%d/%Y"


@pytest.mark.parametrize(
    ("amounts", "forms"),
    [
        (["1,234.50", "7.00"], [(".", ",")]),
        (["1.234,50"], [(",", ".")]),
        (["12,50", "7"], [(",", "")]),
        (["1 234,50"], [(",", " ")]),
        (["1,234"], [(".", ","), (",", "")]),
        (["100"], [(".", "")]),
    ],
)
def test_the_notation_of_amounts_is_guessed(
    amounts: list[str], forms: list[tuple[str, str]]
) -> None:
    rows = "".join(f"C{n};I{n};2025-01-02;{a};EUR;;\n" for n, a in enumerate(amounts))
    found = of(f"customer;invoice;issued_on;total;currency;paid_on;due_on\n{rows}")
    assert [(form.decimal, form.thousands) for form in found.amount_forms] == forms


def test_a_missing_field_is_a_comment_and_the_map_is_refused_until_it_is_filled_in() -> None:
    text = "Client,Facture,Date,Total\nC,F1,2025-01-02,1.00\n"
    found = of(text)
    assert found.doubts == ["due_on", "currency", "paid_on"]
    written = write_map(found, "x.csv")
    assert '# currency = {constant = "EUR"}     # the currency of all rows' in written
    with pytest.raises(BookError, match="no column for due_on, currency, paid_on"):
        read(text, written)
    completed = written.replace("# due_on", "due_on").replace("# currency", "currency")
    (row,) = read(text, completed.replace("# paid_on", "paid_on"))
    assert isinstance(row, BookRow)


def test_a_map_with_quotes_and_control_characters_in_headers_can_be_read() -> None:
    header = 'customer,invoice,"issue\n""d"" on",total,currency,paid_on,due_on'
    text = f"{header}\nC,I,2025-01-02,1,EUR,,\n"
    found = of(text)
    read_map(write_map(found, "x\n[columns]\ny.csv"))


@pytest.mark.parametrize("content", [b"", b"\x00\x01", b"\xff\xfe"])
def test_a_file_that_is_not_csv_is_refused(content: bytes) -> None:
    with pytest.raises(BookError):
        guess(io.BytesIO(content))
