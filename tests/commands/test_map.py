"""``dunning map``: the map that it writes, and its questions."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from books.write_map import write_map
from cli import app
from commands.map import Ask, ask_on_terminal, checked, guessed

FILE = """\
Client,Facture,Emis,Payable,Somme,Note
C-1,F-1,03/04/2025,05/06/2025,"1,234",x
C-2,F-2,04/04/2025,05/06/2025,"2,000",x
"""


def test_the_command_writes_the_map_and_lists_its_doubtful_choices(tmp_path: Path) -> None:
    book, out = tmp_path / "foreign.csv", tmp_path / "map.toml"
    book.write_text(FILE)
    result = CliRunner().invoke(app, ["map", str(book), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert out.read_text().startswith("# How foreign.csv reads as a book")
    assert "in doubt" in result.stderr
    assert "the map is not complete" in result.stderr
    again = CliRunner().invoke(app, ["map", str(book), "--out", str(out)])
    assert "is there already" in str(again.exception)


def test_a_complete_map_is_tried_on_the_whole_file(tmp_path: Path) -> None:
    book = tmp_path / "book.csv"
    book.write_text(
        "Client ID;Invoice No;Invoice Date;Due Date;Amount;Currency;Paid on\n"
        "C;I-1;2025-01-02;;1.7899999999995;EUR;\n"
        "C;I-2;2025-01-02;2025-01-01;2;EUR;\n"
    )
    result = CliRunner().invoke(app, ["map", str(book)])
    assert 'invoice = {column = "Invoice No"}' in result.stdout
    assert "read with this map: 1 rows are good, 1 of them rounded" in result.stderr
    assert "line 3, due_on: 2025-01-01 is before the issue date" in result.stderr


def answering(**answers: str) -> Ask:
    """Answers each question according to a word that occurs in it."""

    def ask(question: str, possible: list[str], default: str) -> str:
        found = next(answer for word, answer in answers.items() if word in question)
        assert found in possible, (question, possible)
        return found

    return ask


def test_answers_to_the_questions_complete_the_map(tmp_path: Path) -> None:
    book = tmp_path / "foreign.csv"
    book.write_text(FILE)
    ask = answering(
        written="%d/%m/%Y",
        due_on="Payable",
        total="Somme",
        issued_on="Emis",
        paid_on="none",
        decimal=".",
        currency="EUR",
    )
    found = guessed(book, ask)
    assert found.doubts == []
    text = write_map(found, book.name)
    rows, rounded, causes = checked(book, text)
    assert (rows, rounded, causes.listed()) == (2, 0, [])
    assert 'issued_on = {column = "Emis", date_format = "%d/%m/%Y"}' in text
    assert 'thousands = ","' in text
    assert 'paid_on = ""' in text


def test_a_question_is_repeated_until_the_answer_is_valid() -> None:
    said: list[str] = []
    typed = iter(["9", "nope", "2"])
    ask = ask_on_terminal(said.append, lambda: next(typed))
    assert ask("Which column?", ["one", "two"], "") == "two"
    assert said == [
        "Which column?",
        "  1  one",
        "  2  two",
        "'9' is none of them; 1 to 2",
        "'nope' is none of them; 1 to 2",
    ]
    assert ask_on_terminal(said.append, lambda: "")("Which?", ["one", "two"], "two") == "two"


def test_a_file_that_is_not_csv_is_refused(tmp_path: Path) -> None:
    book = tmp_path / "book.xlsx"
    book.write_bytes(b"PK\x03\x04\x00\x00")
    result = CliRunner().invoke(app, ["map", str(book)])
    assert isinstance(result.exception, ValueError)
    assert "NUL" in str(result.exception)


@pytest.mark.parametrize("name", ["book.csv", "foreign-book.csv"])
def test_maps_of_the_examples_can_be_guessed(name: str) -> None:
    book = Path(__file__).parents[2] / "examples" / name
    assert set(guessed(book, None).doubts) <= {"currency"}
