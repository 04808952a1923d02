"""FACTS.csv: read, checked and sorted by time."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from books.errors import BookError, RowError
from books.facts import Fact, FactKind, read_facts

HEADER = "at,kind,customer,invoice,value"


def facts(*lines: str) -> list[Fact]:
    found, errors = read_facts(io.BytesIO("\n".join([HEADER, *lines]).encode()))
    assert not [str(error) for error in errors]
    return found


def wrong(line: str) -> str:
    found, [error] = read_facts(io.BytesIO(f"{HEADER}\n{line}".encode()))
    assert not found
    return str(error)


def test_facts_are_sorted_by_time_and_keep_the_file_order_within_a_moment() -> None:
    found = facts(
        "2025-03-06T08:00,settle,C1,1,",
        "2025-03-06,dispute,C1,1,Too much",
        "2025-03-05 23:59:59,payment,C1,1,20",
        "2025-03-06 00:00,void,C1,2,",
    )
    assert [fact.line for fact in found] == [4, 3, 5, 2]
    assert found[0].at == datetime(2025, 3, 5, 23, 59, 59)  # noqa: DTZ001 - local by design
    assert found[1] == Fact(
        3,
        datetime(2025, 3, 6),  # noqa: DTZ001
        FactKind.DISPUTE,
        "C1",
        "1",
        text="Too much",
    )


@pytest.mark.parametrize(
    ("line", "amount", "on", "text"),
    [
        ("payment,C1,1,120.50", Decimal("120.50"), None, ""),
        ("reverse_payment,C1,1,", None, None, ""),
        ("Reverse Payment,C1,1,5", Decimal(5), None, ""),
        ("credit,C1,1,", None, None, ""),
        ("credit,C1,,30.00 EUR", Decimal(30), None, ""),
        ("void,C1,1,Billed twice", None, None, "Billed twice"),
        ("due_date,C1,1,2025-04-01", None, date(2025, 4, 1), ""),
        ("pause,C1,,2025-04-01", None, date(2025, 4, 1), ""),
        ("pause,C1,1,", None, None, ""),
        ("resume,C1,,", None, None, ""),
        ("promise,C1,1,2025-03-06", None, date(2025, 3, 6), ""),
        ("promise,C1,1,2025-04-01 500", Decimal(500), date(2025, 4, 1), ""),
        ("promise,C1,1,2025-04-01; 500.25", Decimal("500.25"), date(2025, 4, 1), ""),
        ("contact_invalid,C1,,Mailbox full", None, None, "Mailbox full"),
        ("contact_valid,C1,,", None, None, ""),
        ("complete,C1,,They will pay", None, None, "They will pay"),
        ("skip,C1,1,Known case", None, None, "Known case"),
        ("plan,C1,,Contextualized reminders", None, None, "Contextualized reminders"),
    ],
)
def test_the_value_of_each_kind_is_read(
    line: str, amount: Decimal | None, on: date | None, text: str
) -> None:
    [fact] = facts(f"2025-03-06T10:00,{line}")
    assert (fact.amount, fact.on, fact.text) == (amount, on, text)


def test_a_credit_may_name_its_currency() -> None:
    [fact] = facts("2025-03-06,credit,C1,,30.00 eur")
    assert fact.currency == "EUR"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",void,C1,1,", "line 2, at: '' is not a local time"),
        ("2025-02-30,void,C1,1,", "line 2, at: '2025-02-30' is not a date"),
        ("2025-02-03T24:00,void,C1,1,", "line 2, at: '24:00' is not a time of day"),
        ("2025-02-03T10:00:60,void,C1,1,", "line 2, at: '2025-02-03T10:00:60' is not a time"),
        ("2025-02-03T10:00Z,void,C1,1,", "line 2, at: '2025-02-03T10:00Z' is not a local time"),
        ("2025-02-03,refund,C1,1,", "line 2, kind: 'refund' is not one of payment, "),
        ("2025-02-03,void,,1,", "line 2, customer: is empty"),
        ("2025-02-03,void,C1,,", "line 2, invoice: is empty; void is about an invoice"),
        ("2025-02-03,payment,C1,1,", "line 2, value: '' is not a plain amount"),
        ("2025-02-03,payment,C1,1,-5", "line 2, value: -5 is not more than zero"),
        ("2025-02-03,payment,C1,1,5 EURO", "line 2, value: 'EURO' is not an ISO 4217 code"),
        ("2025-02-03,credit,C1,,", "line 2, value: is empty; a credit without an invoice"),
        ("2025-02-03,due_date,C1,1,soon", "line 2, value: 'soon' is not a date"),
        ("2025-02-03,pause,C1,,2025-02-03", "line 2, value: 2025-02-03 is not after 2025-02-03"),
        ("2025-02-03,resume,C1,,now", "line 2, value: 'now': a resume has no value"),
        ("2025-02-03,promise,C1,1,", "line 2, value: '' is not a date"),
        ("2025-02-03,promise,C1,1,2025-02-02", "line 2, value: 2025-02-02 is before 2025-02-03"),
        ("2025-02-03,promise,C1,1,2025-02-04 x", "line 2, value: 'x' is not a plain amount"),
        ("2025-02-03,plan,C1,,", "line 2, value: is empty; name the plan"),
        ('2025-02-03,skip,C1,,"a\nb"', "line 2, value: has a line break"),
        (f"2025-02-03,skip,{'C' * 201},,", "line 2, customer: is longer than 200"),
        ("2025-02-03,void,C1,1", "line 2: has 4 cells where the header has 5"),
    ],
)
def test_a_bad_fact_gives_its_line_column_and_reason(line: str, reason: str) -> None:
    assert wrong(line).startswith(reason)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(BookError, match="no column for invoice, value; the file has at, kind"):
        read_facts(io.BytesIO(b"at;kind;customer\n"))


PART = st.sampled_from(["2025-02-03", "C1", "1", "", "5", "x", *FactKind]) | st.text(max_size=8)


@given(st.lists(st.lists(PART, min_size=4, max_size=6), max_size=5), st.binary(max_size=40))
def test_any_file_gives_facts_or_errors(table: list[list[str]], data: bytes) -> None:
    text = "\n".join([HEADER, *(",".join(row) for row in table)])
    try:
        found, errors = read_facts(io.BytesIO(text.encode("utf-8", "surrogatepass") + data))
    except BookError:
        return
    assert all(isinstance(error, RowError) for error in errors)
    assert [fact.at for fact in found] == sorted(fact.at for fact in found)


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("customer", "2025-03-06,dispute,{},1,"),
        ("invoice", "2025-03-06,dispute,C1,{},"),
    ],
)
def test_an_external_id_in_the_form_of_our_ids_is_refused(place: str, line: str) -> None:
    told = wrong(line.format("{0f8fad5b-d9cb-469f-a165-70867728950e}"))
    assert told.startswith(f"line 2, {place}: ")
    assert "external:" in told
