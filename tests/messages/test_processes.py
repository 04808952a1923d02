"""Processes that check and render texts: limits of time and memory, and of the cost of a text."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pytest

from dunning.plan import ActionType, PlanError
from messages.check import check, check_texts, refusal
from messages.processes import LimitedProcesses, TakesTooLong
from messages.render import render
from messages.template import Template, TemplateError
from plans.read import parse_plan
from tests.cast.failing_work import (
    ends_itself,
    has_a_mistake,
    its_process,
    loops_for_ever,
    needs_much_memory,
)
from tests.cast.letters import facts, invoice


@pytest.fixture(scope="module")
def processes() -> Iterator[LimitedProcesses]:
    processes = LimitedProcesses(budget=1.0)
    yield processes
    processes.end()


def test_work_that_takes_too_long_is_killed_and_later_work_runs(
    processes: LimitedProcesses,
) -> None:
    first, environment = processes.run(its_process)
    assert processes.run(its_process)[0] == first, "one that is idle is taken again"
    assert not [name for name in environment if name.startswith(("DUNNING", "PG", "PATH"))]
    with pytest.raises(TakesTooLong):
        processes.run(loops_for_ever)
    assert not psutil.pid_exists(first)
    assert processes.run(its_process)[0] != first


@pytest.mark.parametrize("work", [needs_much_memory, ends_itself])
def test_work_that_exceeds_memory_or_exits_raises_takes_too_long(
    processes: LimitedProcesses, work: object
) -> None:
    with pytest.raises(TakesTooLong):
        processes.run(work)  # type: ignore[arg-type]


def test_an_exception_of_the_work_is_raised_without_its_message(
    processes: LimitedProcesses,
) -> None:
    with pytest.raises(RuntimeError, match="KeyError") as caught:
        processes.run(has_a_mistake)
    assert "secret" not in str(caught.value)


def test_a_process_that_was_killed_while_idle_is_replaced(processes: LimitedProcesses) -> None:
    pid, _ = processes.run(its_process)
    psutil.Process(pid).kill()
    time.sleep(0.05)
    assert processes.run(its_process)[0] != pid


def filled(unit: str, before: str = "", after: str = "", size: int = 48_000) -> str:
    return before + unit * ((size - len(before) - len(after)) // len(unit)) + after


#: 48 kB each. Their cost before these limits is in docs/decisions/0035.
HOSTILE = {
    "a chain of comparisons": filled("<1", "{{ outstanding", " }}"),
    "a chain of comparisons of numbers": filled(" < 1", "{{ 1", " }}"),
    "values": filled("{{1}}"),
    "conditions": filled("{%if 1%}{%endif%}"),
    "loops": filled("{%for i in invoices%}{{i.number}}{%endfor%}"),
    "a long loop": filled("{{i.due_on}}", "{%for i in invoices%}", "{%endfor%}"),
    "filters": filled("|upper", "{{customer.name", "}}"),
    "ands": filled(" and 1", "{{1", "}}"),
    "parentheses": filled("(", "{{", "1}}"),
    "open ends": filled("{{"),
    "elifs": filled("{%elif 1%}", "{%if 1%}", "{%endif%}"),
    "strings": filled('"a" ', "{{", "}}"),
    "a long string": filled("a", '{{ contact.name | default("', '", true) }}'),
    "a great number": "{{ 1" + "0" * 4000 + " }}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_refused_within_half_a_second(name: str) -> None:
    began = time.process_time()
    with pytest.raises(TemplateError):
        check("", HOSTILE[name])
    assert time.process_time() - began < 0.5
    with pytest.raises(TemplateError):  # one saved before there were limits is refused too
        render("", HOSTILE[name], facts(), ActionType.EMAIL)


def test_an_ordinary_text_is_far_below_the_limits() -> None:
    line = "{% if i.days_overdue > 0 %}{{ i.number }}, {{ i.balance | money }}{% endif %}"
    text = "Dear {{ contact.name }}, {{ outstanding }} is open.\n" * 30
    body = f"{text}{{% for i in invoices %}}{line}\n{{% endfor %}}{{{{ invoices_table }}}}"
    check("", body)
    assert Template("body", body).size < 500


def test_a_loop_over_very_many_invoices_is_refused_before_it_runs() -> None:
    body = filled("{%if i.due_on%}{%endif%}", "a{%for i in invoices%}", "{%endfor%}", 10_000)
    check("", body)
    render("x", body, facts(), ActionType.EMAIL)
    many = facts(invoices=(invoice(),) * 5_000)
    began = time.process_time()
    with pytest.raises(TemplateError, match="so many invoices"):
        render("x", body, many, ActionType.EMAIL)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("table", ["invoices_table", "interest_table"])
def test_a_text_has_at_most_four_tables(table: str) -> None:
    check("", f"a{{{{ {table} }}}}" * 4)
    with pytest.raises(TemplateError, match="more than 4 tables"):
        check("", f"a{{{{ {table} }}}}" * 5)
    with pytest.raises(TemplateError, match="more than 4 tables"):
        render(
            "x",
            "a{%for i in invoices%}{{ invoices_table }}{%endfor%}",
            facts(invoices=(invoice(),) * 5),
            ActionType.EMAIL,
        )


def plan_of(steps: int, languages: int, body: str) -> dict[str, object]:
    tags = [f"{a}{b}" for a in "abcdefghijkl" for b in "abcdefghijkl"][:languages]
    texts = {tag: {"body": f"{body} {tag}"} for tag in tags}
    trigger = {"from": "due", "days": 1}
    return {
        "name": "a",
        "steps": [
            {
                "key": f"s{n}",
                "type": "email",
                "trigger": trigger,
                "body": f"{body} {n}",
                "texts": texts,
            }
            for n in range(steps)
        ],
    }


def test_a_plan_has_at_most_1100_texts_and_a_million_characters() -> None:
    parse_plan(plan_of(100, 9, "a"))
    with pytest.raises(PlanError, match="1,100 steps and translations"):
        parse_plan(plan_of(100, 10, "a"))
    with pytest.raises(PlanError, match=r"its texts have 1,00\d,\d+ char"):
        parse_plan(plan_of(20, 1, "a" * 25_010))


def test_the_texts_of_a_plan_are_limited_together(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = parse_plan(plan_of(2, 9, "{{ outstanding }}" * 9))
    assert refusal(plan) is None
    monkeypatch.setattr("messages.check.MAX_PLAN_NODES", 200)
    with pytest.raises(PlanError, match="step s1: the texts up to here have more than 200 var"):
        check_texts(plan)


def test_another_process_refuses_a_plan_for_the_same_reason(
    processes: LimitedProcesses,
) -> None:
    plan = parse_plan(plan_of(1, 1, "{{ nobody }}"))
    told = refusal(plan)
    assert told is not None
    assert told[0] == "s0"
    assert processes.run(refusal, plan) == told
