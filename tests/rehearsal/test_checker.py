"""The checker finds each violation that is planted into a correct month."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from books.facts import Fact
from tests.cast.checker.check import check
from tests.cast.checker.data import ActionRow, Setting, read_actions
from tests.rehearsal.conftest import HEADER, facts_of, plan, rows_of

MAILS = plan("mails", "s1 email 1", "s8 email 8", "talk call 15", "s30 email 30")
OTHER = plan("other", "kind email 2")
BOOK = [
    f"{HEADER},terms_days",
    "a,Ada,a@example.com,A1,2025-02-03,2025-03-03,100.00,EUR,,,,",
    "a,Ada,a@example.com,A2,2025-02-03,2025-03-10,900.00,EUR,,,,",
    "b,Bea,b@example.com,B1,2025-02-03,2025-03-05,100.00,EUR,2025-03-19,,,",
]
SETTING = Setting(date(2025, 2, 20), date(2025, 4, 10), holidays={date(2025, 3, 12)}, manual_days=1)
GOOD = [
    "2025-03-04 08:30 a A1 s1",
    "2025-03-06 08:30 b B1 s1",
    "2025-03-11 08:30 a A1 s8",
    "2025-03-13 08:30 b B1 s8",
    "2025-03-19 10:00 a A1 talk",
    "2025-04-02 08:30 a A1 s30",
]


def done(text: str, place: int = 0) -> ActionRow:
    day, hour, customer, invoice, step, *status = text.split()
    at = datetime.fromisoformat(f"{day} {hour}")
    return ActionRow(at, customer, invoice, step, step != "talk", (status or ["done"])[0], place)


def said(
    lines: list[str],
    *facts: str,
    book: list[str] | None = None,
    plans: list[dict[str, Any]] | None = None,
    setting: Setting = SETTING,
    refused: tuple[str, ...] = (),
) -> list[str]:
    told: list[Fact] = facts_of(*facts)
    actions = [done(line, n) for n, line in enumerate(sorted(lines))]
    rows = rows_of("\n".join(book or BOOK))
    return check(rows, told, plans or [MAILS, OTHER], setting, actions, refused)


def test_a_good_month_has_no_violation() -> None:
    assert said(GOOD) == []


Change = Callable[[list[str]], list[str]]


def swap(old: str, new: str) -> Change:
    def change(lines: list[str]) -> list[str]:
        assert any(old in line for line in lines)
        return [line.replace(old, new) for line in lines]

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (swap("2025-03-04 08:30", "2025-03-08 08:30"), "not a working day (20)"),
        (swap("2025-03-13 08:30", "2025-03-12 08:30"), "a holiday (20)"),
        (swap("2025-03-04 08:30", "2025-03-04 08:29"), "before the sending time (20)"),
        (swap("2025-03-04 08:30", "2025-03-04 17:30"), "after the cut-off (21)"),
        (swap("2025-03-04 08:30", "2025-03-04 09:30"), "was to be reached by s1"),
        (swap("2025-03-11", "2025-03-07"), "only 3 days after s1 (16, 17)"),
        (swap("2025-03-11 08:30 a A1 s8", "2025-03-11 08:30 a A2 s8"), "A1 carries, not A2 (2)"),
        (swap("2025-03-11 08:30 a A1", "2025-03-11 08:30 a Z9"), "has no such invoice"),
        (swap("2025-03-11 08:30 a A1 s8", "2025-03-11 08:30 a A1 s30"), "reached by s8"),
        (swap("2025-04-02 08:30 a A1 s30", "2025-04-02 08:30 a A1 s1"), "for the 2. time (25)"),
        (swap("2025-04-02 08:30 a A1 s30", "2025-04-02 08:30 a A1 s1"), "later in the list (14)"),
        (swap("2025-03-13", "2025-03-20"), "B1 is paid"),
        (swap("2025-03-19 10:00", "2025-03-20 10:00"), "is not done on 2025-03-19 10:00"),
        (swap("2025-03-19 10:00", "2025-03-18 10:00"), "talk is open since 2025-03-18"),
        (swap("talk", "talk to_do"), "is not done on 2025-03-19"),
        (swap("A1 s8", "A1 s8 failed"), "did not succeed"),
        (swap("A1 s8", "A1 s9"), "no plan has such a step"),
        (lambda lines: lines[:-1], "A1 was to be reached by s30 on Wed 2025-04-02 08:30"),
        (lambda lines: lines[1:], "A1 was to be reached by s1 on Tue 2025-03-04 08:30"),
        (lambda lines: [*lines, "2025-03-24 08:30 b B1 s30"], "B1 is paid"),
        (lambda lines: [*lines, "2025-03-04 08:30 a A1 s8"], "only 0 days after s1"),
        (lambda lines: [*lines, "2025-03-28 08:30 a A1 s1 obsolete"], "before the due date"),
    ],
)
def test_a_planted_violation_is_found(change: Change, words: str) -> None:
    violations = said(change(GOOD))
    assert any(words in line for line in violations), violations


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ("2025-03-10T09:00,pause,a,,2025-03-20", "the customer is paused (38)"),
        ("2025-03-10T09:00,pause,a,A1,", "A1 is paused"),
        ("2025-03-10T09:00,dispute,a,A1,", "A1 is disputed"),
        ("2025-03-10T09:00,promise,a,A1,2025-03-14", "A1 is promised"),
        ("2025-03-10T09:00,void,a,A1,", "A1 is void"),
        ("2025-03-10T09:00,payment,a,A1,100.00", "A1 is paid"),
        ("2025-03-10T09:00,credit,a,A1,", "A1 is paid"),
        ("2025-03-10T09:00,credit,a,,100.00", "unapplied credit covers it (42)"),
        ("2025-03-10T09:00,due_date,a,A1,2025-03-17", "A2 carries, not A1 (2)"),
        ("2025-03-11T08:00,contact_invalid,a,,", "is open since 2025-03-11 08:30"),
        ("2025-03-10T09:00,plan,a,,other", "to come is kind"),
        ("2025-03-18T12:00,skip,a,,", "is not skipped on 2025-03-18 12:00"),
        ("2025-03-18T12:00,complete,a,,", "is not done on 2025-03-18 12:00"),
        ("2025-03-18T12:00,dispute,a,A1,", "not withdrawn on 2025-03-18 12:00"),
        ("2025-03-05,complete,a,,", "facts line 2 makes no sense, and was not refused"),
        ("2025-03-05,reverse_payment,a,A1,", "facts line 2 makes no sense, and was not refused"),
    ],
)
def test_a_fact_without_its_effect_is_found(fact: str, words: str) -> None:
    violations = said(GOOD, fact)
    assert any(words in line for line in violations), violations


def test_a_fact_refused_without_a_reason_is_found() -> None:
    violations = said(
        GOOD, "2025-03-20,promise,b,B1,2025-03-28", refused=("facts line 2: is paid",)
    )
    assert violations == []
    violations = said(GOOD, "2025-04-09,dispute,a,A1,", refused=("facts line 2: no",))
    assert "facts line 2 was refused without need" in violations


def test_a_start_at_a_wrong_step_is_found() -> None:
    """An invoice that is overdue at first: standard logic begins at the first step, contextualized
    logic at the closest past one."""
    late = replace(SETTING, start=date(2025, 3, 14), until=date(2025, 3, 17))
    context = MAILS | {"first_action": "contextualized"}
    standard, contextualized = ["2025-03-14 08:30 a A1 s1"], ["2025-03-14 08:30 a A1 s8"]
    both = ["2025-03-14 08:30 b B1 s1"], ["2025-03-14 08:30 b B1 s8"]
    assert said(standard + both[0], setting=late) == []
    assert said(contextualized + both[1], setting=late, plans=[context]) == []
    assert "A1 was to be reached by s1" in said(contextualized + both[0], setting=late)[0]
    assert "by s8" in said(standard + both[1], setting=late, plans=[context])[0]


def test_a_repeat_too_many_is_found() -> None:
    again = plan("again", "s1 email 1 repeat_every_days=7 repeat_limit=1")
    book = [BOOK[0], BOOK[1]]
    good = ["2025-03-04 08:30 a A1 s1", "2025-03-11 08:30 a A1 s1"]
    assert said(good, book=book, plans=[again]) == []
    violations = said([*good, "2025-03-18 08:30 a A1 s1"], book=book, plans=[again])
    assert any("for the 3. time" in line for line in violations)
    assert said(good[:1], book=book, plans=[again]) != []


def test_rows_out_of_order_or_in_a_wrong_time_zone_are_found(tmp_path: Path) -> None:
    path = tmp_path / "actions.csv"
    path.write_text(
        "at,customer,invoice,step,type,automatic,status,reason\n"
        "2025-03-11T08:30:00+01:00,a,A1,s8,email,true,done,\n"
        "2025-03-04T08:30:00+02:00,'=a,A1,s1,email,true,done,\n"
    )
    actions, wrong = read_actions(path, SETTING)
    assert actions[1].customer == "=a"
    assert wrong == [
        "2025-03-04T08:30:00+02:00 is not a time of Europe/Paris",
        "the rows are not in order of time",
    ]
