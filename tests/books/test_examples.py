"""The sample book, facts, plans and map contain what examples/README.md says."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from books.book import read_book
from books.errors import RowError
from books.facts import FactKind, read_facts
from books.read_map import read_map
from books.row import BookRow
from dunning.plan import FirstAction
from messages.check import check_step
from plans.read import parse_plan

EXAMPLES = Path(__file__).parents[2] / "examples"


def sample() -> list[BookRow]:
    with (EXAMPLES / "book.csv").open("rb") as file:
        found = list(read_book(file))
    assert not [str(row) for row in found if isinstance(row, RowError)]
    return [row for row in found if isinstance(row, BookRow)]


def test_the_sample_book_has_the_documented_rows() -> None:
    rows = sample()
    assert len({row.customer for row in rows}) == 40
    assert len(rows) > 150
    assert len({row.currency for row in rows}) >= 10
    assert {row.issued_on.year for row in rows} == {2025}
    late = Counter(
        "never" if row.paid_on is None else "late" if row.paid_on > row.due_on else "in time"
        for row in rows
        if row.due_on is not None
    )
    assert min(late.values()) >= 10
    for row in rows:
        assert not row.email or row.email.endswith((".example.com", ".example.org"))


def test_the_sample_facts_are_about_the_sample_book() -> None:
    with (EXAMPLES / "facts.csv").open("rb") as file:
        facts, errors = read_facts(file)
    assert not errors
    rows = {row.invoice: row for row in sample()}
    for fact in facts:
        if fact.invoice:
            row = rows[fact.invoice]
            assert row.customer == fact.customer
            assert row.issued_on <= fact.at.date() <= (row.paid_on or fact.at.date())
        else:
            assert fact.customer in {row.customer for row in rows.values()}
    left_out = {
        FactKind.COMPLETE,
        FactKind.SKIP,
        FactKind.PLAN,
    }  # not in the sample facts
    assert {fact.kind for fact in facts} == set(FactKind) - left_out


@pytest.mark.parametrize("name", ["plan.toml", "plan-contextualized.toml"])
def test_the_sample_plans_have_the_documented_steps(name: str) -> None:
    plan = parse_plan(tomllib.loads((EXAMPLES / name).read_text("utf-8")))
    wanted = FirstAction.CONTEXTUALIZED if "contextualized" in name else FirstAction.STANDARD
    assert plan.first_action is wanted
    assert len(plan.steps) >= 4
    for step in plan.steps:
        check_step(step)


def test_the_sample_map_reads_the_sample_export() -> None:
    bookmap = read_map((EXAMPLES / "map.toml").read_bytes())
    with (EXAMPLES / "foreign-book.csv").open("rb") as file:
        found = list(read_book(file, bookmap))
    rows = [row for row in found if isinstance(row, BookRow)]
    assert len(rows) == len(found) == 14
    assert [row.invoice for row in rows if row.credit_note] == ["2025/G007"]
    assert {row.currency for row in rows} == {"EUR"}
