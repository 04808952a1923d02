"""A plan is read from TOML or JSON; an invalid one is refused with the step and the reason."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from typing import Any

import pytest

from dunning.plan import ActionType, FirstAction, PlanError, Translation, Trigger
from plans.read import parse_plan, plan_data

TOML = """
name = "Reminders"
first_action = "contextualized"
contact_delay_days = 5
tasks_count = false

[[steps]]
key = "almost"
name = "Invoice almost due"
type = "email"
automatic = true
trigger = {from = "due", days = -3}
recipients = ["main", "position:Accounting"]
cc = "member:ada@example.com"
subject = "Soon"
body = "…"
html = "<p>…</p>"

[steps.texts.pt_br]
body = "Em breve"

[steps.texts.fr]
subject = "Bientôt"
body = "Bientôt due"
html = "<p>Bientôt due</p>"

[[steps]]
key = "thanks"
type = "sms"
automatic = true
trigger = {from = "issue", days = 10}

[[steps]]
key = "letter"
type = "letter"
registered = true
owner = "group:account managers"
trigger = {date = 2025-06-01}
contact_delay_days = 0
repeat_every_days = 7
repeat_limit = 2

[[steps]]
key = "call"
type = "call"
trigger = {from = "due", days = 30}
"""


def step(**fields: Any) -> dict[str, Any]:
    return {"key": "s", "type": "email", "trigger": {"from": "due", "days": 1}} | fields


def data(**fields: Any) -> dict[str, Any]:
    return {"name": "p", "steps": [step()]} | fields


def test_a_plan_is_read_from_toml_with_defaults_for_missing_fields() -> None:
    plan = parse_plan(tomllib.loads(TOML))
    assert plan.first_action is FirstAction.CONTEXTUALIZED
    assert not plan.tasks_count
    almost, thanks, letter, call = plan.steps
    assert almost.trigger == Trigger("due", -3)
    assert almost.cc == ("member:ada@example.com",)
    assert almost.html == "<p>…</p>"
    assert almost.texts == (
        Translation("fr", "Bientôt", "Bientôt due", "<p>Bientôt due</p>"),
        Translation("pt-BR", "", "Em breve"),
    )
    assert (thanks.name, thanks.recipients, thanks.owner) == ("thanks", ("main",), "assigned")
    assert thanks.contact_delay_days == 5  # the plan's own (rule 16)
    assert (letter.contact_delay_days, letter.trigger.on) == (0, date(2025, 6, 1))
    assert (letter.repeat_every_days, letter.repeat_limit, letter.automatic) == (7, 2, False)
    assert call.type is ActionType.CALL
    assert plan.keys == ("almost", "thanks", "letter", "call")


def test_a_plan_written_as_json_reads_back_equal() -> None:
    plan = parse_plan(tomllib.loads(TOML))
    assert parse_plan(json.loads(json.dumps(plan_data(plan)))) == plan


def test_a_plan_without_html_and_translations_is_stored_as_by_older_versions() -> None:
    stored = plan_data(parse_plan(data()))["steps"][0]
    assert not {"html", "texts"} & set(stored)
    assert (stored["subject"], stored["body"]) == ("", "")


def test_a_plan_with_only_its_required_fields_is_read() -> None:
    plan = parse_plan(data())
    assert (plan.first_action, plan.contact_delay_days) == (FirstAction.STANDARD, 0)
    assert plan.tasks_count


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"speed": 3}, "unknown field 'speed'"),
        ({"name": ""}, "has no name"),
        ({"name": None}, "has no name"),
        ({"name": 7}, "name is not a text"),
        ({"name": "one\rtwo"}, "name has a line break"),
        ({"name": "x" * 101}, "longer than 100"),
        ({"name": "a\x00b"}, "cannot be stored"),
        ({"name": "a\ud800b"}, "cannot be stored"),
        ({"first_action": "random"}, "is not one of standard, contextualized"),
        ({"first_action": None}, "is not one of standard, contextualized"),
        ({"first_action": []}, "is not one of standard, contextualized"),
        ({"contact_delay_days": -1}, "not between 0 and 3650"),
        ({"contact_delay_days": 99999}, "not between 0 and 3650"),
        ({"contact_delay_days": 2.5}, "not a whole number"),
        ({"contact_delay_days": True}, "not a whole number"),
        ({"contact_delay_days": "5"}, "not a whole number"),
        ({"tasks_count": "no"}, "is not true or false"),
        ({"steps": []}, "has no steps"),
        ({"steps": None}, "has no steps"),
        ({"steps": {"key": "s"}}, "has no steps"),
        ({"steps": [step(key=f"s{n}") for n in range(101)]}, "at most 100"),
    ],
)
def test_a_bad_plan_is_refused_with_the_reason(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(PlanError) as refused:
        parse_plan(data(**fields))
    assert reason in refused.value.reason
    assert refused.value.step == ""
    assert str(refused.value).startswith("plan: ")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"type": "fax"}, "'fax' is not one of email, sms, letter, call, task"),
        ({"type": None}, "is not one of email"),
        ({"automatic": 1}, "is not true or false"),
        ({"type": "call", "automatic": True}, "a call is always manual"),
        ({"type": "task", "automatic": True}, "a task is always manual"),
        ({"contact_delay_days": -2}, "not between 0 and 3650"),
        ({"repeat_every_days": 0}, "not between 1 and 3650"),
        ({"repeat_limit": 3}, "repeat_limit without repeat_every_days"),
        ({"repeat_every_days": 3, "repeat_limit": -1}, "not between 0 and 3650"),
        ({"registered": True}, "only a letter can be registered"),
        ({"registered": "yes"}, "is not true or false"),
        ({"owner": "group:"}, "name the group"),
        ({"owner": "group: :all"}, "name the group"),
        ({"owner": ["x"]}, "owner is not a text"),
        ({"recipients": ["everybody"]}, "'everybody' is not 'main', 'others'"),
        ({"recipients": ["position:"]}, "'position:' is not"),
        ({"recipients": 3}, "not a list of texts"),
        ({"recipients": [3]}, "not a list of texts"),
        ({"cc": ["a b@example.com"]}, "is not 'main'"),
        ({"bcc": [""]}, "is not 'main'"),
        ({"type": "sms", "recipients": ["others"]}, "main contact only (rule 34)"),
        ({"type": "sms", "cc": ["a@example.com"]}, "main contact only (rule 34)"),
        ({"type": "sms", "bcc": ["a@example.com"]}, "main contact only (rule 34)"),
        ({"type": "task", "recipients": ["others"]}, "a task goes to its owner (rule 34)"),
        ({"type": "task", "cc": ["a@example.com"]}, "a task goes to its owner (rule 34)"),
        ({"trigger": None}, "has no trigger"),
        ({"trigger": "tomorrow"}, "has no trigger"),
        ({"trigger": {}}, "is not understood"),
        ({"trigger": {"from": "due", "weeks": 2}}, "is not understood"),
        ({"trigger": {"from": "due", "date": "2025-01-01"}}, "is not understood"),
        ({"trigger": {"from": "birth", "days": 2}}, "is not 'due' or 'issue'"),
        ({"trigger": {"from": ["due"], "days": 2}}, "is not 'due' or 'issue'"),
        ({"trigger": {"from": "due", "days": 4000}}, "not between -3650 and 3650"),
        ({"trigger": {"from": "due", "days": "8"}}, "not a whole number"),
        ({"trigger": {"from": "issue", "days": -1}}, "before the issue date"),
        ({"trigger": {"date": "01/06/2025"}}, "is not a date"),
        ({"trigger": {"date": "2025-02-30"}}, "is not a date"),
        ({"trigger": {"date": "20250601"}}, "is not a date"),
        ({"trigger": {"date": 20250601}}, "is not a date"),
        ({"subject": "one\ntwo"}, "has a line break"),
        ({"subject": "x" * 1001}, "longer than 1000"),
        ({"body": "x" * 50_001}, "longer than 50000"),
        ({"body": "a\x00"}, "cannot be stored"),
        ({"body": 3}, "body is not a text"),
        ({"html": "<p>a</p>"}, "has html without a body; the text part is needed too"),
        ({"html": "x" * 50_001, "body": "a"}, "html is longer than 50000"),
        ({"type": "letter", "body": "a", "html": "b"}, "has html, and is no email"),
        ({"texts": ["fr"]}, "texts is not a table of languages"),
        ({"texts": {"french": {"body": "a"}}}, "texts: 'french' is not a language such as 'fr'"),
        ({"texts": {"": {"body": "a"}}}, "texts: '' is not a language"),
        ({"texts": {3: {"body": "a"}}}, "texts: '3' is not a language"),
        ({"texts": {"fr": "Bonjour"}}, "texts.fr: is not a table of fields"),
        ({"texts": {"fr": {"body": "a", "colour": 1}}}, "texts.fr: unknown field 'colour'; a text"),
        ({"texts": {"fr": {"subject": "a"}}}, "texts.fr: has no body"),
        ({"texts": {"fr": {"html": "a"}}}, "texts.fr: has html without a body"),
        ({"texts": {"fr": {"body": 7}}}, "texts.fr: body is not a text"),
        ({"texts": {"fr": {"body": "a", "subject": "b\nc"}}}, "texts.fr: subject has a line break"),
        (
            {"type": "sms", "texts": {"fr": {"body": "a", "html": "b"}}},
            "texts.fr: has html, and is no",
        ),
        (
            {"texts": {"pt-BR": {"body": "a"}, "pt_br": {"body": "b"}}},
            "texts.pt_br: the language pt-BR is given twice",
        ),
        ({"texts": {f"a{chr(97 + n % 26)}-{n:02}": {} for n in range(51)}}, "at most 50"),
        ({"name": "x" * 201}, "longer than 200"),
        ({"name": "one\ntwo"}, "name has a line break"),
    ],
)
def test_a_bad_step_is_refused_with_its_key_and_the_reason(
    fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(PlanError) as refused:
        parse_plan(data(steps=[step(**fields)]))
    assert reason in refused.value.reason
    assert refused.value.step == "s"
    assert str(refused.value).startswith("step s: ")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("call them", "is not a table of fields"),
        (step(key=""), "has no key"),
        (step(key=None), "has no key"),
        (step(key="a b"), "use letters, digits"),
        (step(key="-a"), "use letters, digits"),
        (step(key="x" * 65), "at most 64"),
        (step(key=3), "key is not a text"),
    ],
)
def test_a_step_without_a_usable_key_is_named_by_its_place(raw: Any, reason: str) -> None:
    with pytest.raises(PlanError) as refused:
        parse_plan(data(steps=[step(key="first"), raw]))
    assert reason in refused.value.reason
    assert refused.value.step == "number 2"


def test_two_steps_of_the_same_key_are_refused() -> None:
    with pytest.raises(PlanError, match="step s: the key is used twice"):
        parse_plan(data(steps=[step(), step()]))
