"""Plans: saved in versions, refused with the step and the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import PLAN, Office

EXAMPLES = Path(__file__).parents[2] / "examples"


def step(**more: Any) -> dict[str, Any]:
    return {"key": "a", "type": "email", "trigger": {"from": "due", "days": 1}, **more}


def test_a_plan_is_saved_in_versions(office: Office) -> None:
    saved = office.ada("PUT", "/plans/Standard", json=PLAN)
    assert (saved.status_code, saved.json()) == (
        201, {"result": "created", "name": "Standard", "version": 1}
    )  # fmt: skip
    assert office.ada.does("PUT", "/plans/Standard", PLAN)["result"] == "unchanged"
    changed = {**PLAN, "contact_delay_days": 7}
    del changed["name"]  # it is in the address
    assert office.ada.does("PUT", "/plans/Standard", changed)["version"] == 2
    (listed,) = office.ben.get("/plans")["items"]
    assert (listed["name"], listed["version"], listed["default"], listed["steps"]) == (
        "Standard", 2, True, 3
    )  # fmt: skip
    plan = office.ben.get("/plans/Standard")
    assert plan["definition"]["contact_delay_days"] == 7
    again = office.ada.does("PUT", "/plans/Standard", plan["definition"])
    assert again["result"] == "unchanged"
    office.ben.fails(403, "PUT", "/plans/Standard", PLAN)
    office.billing.fails(403, "GET", "/plans")
    office.ben.fails(404, "GET", "/plans/Harsh")


def test_a_changed_plan_nudges_who_follows_it(office: Office) -> None:
    office.acme()
    office.review()
    office.nudges()
    office.ada.does("PUT", "/plans/Standard", {**PLAN, "contact_delay_days": 9})
    assert office.nudges() == ["account_changed"]


@pytest.mark.parametrize("name", ["plan.toml", "plan-contextualized.toml"])
def test_the_toml_of_the_examples(office: Office, name: str) -> None:
    toml = (EXAMPLES / name).read_bytes()
    headers = {"Content-Type": "application/toml"}
    checked = office.ben("POST", "/plans/check", content=toml, headers=headers)
    assert checked.status_code == 200, checked.text
    assert office.ben.get("/plans")["items"] == []
    plan = checked.json()["definition"]
    saved = office.ada("PUT", f"/plans/{plan['name']}", content=toml, headers=headers)
    assert saved.status_code == 201, saved.text
    assert office.ben.get(f"/plans/{plan['name']}")["definition"] == plan


NONSENSE: list[tuple[dict[str, Any], str, str]] = [
    ({"steps": []}, "plan", "no steps"),
    ({"steps": [step(), step()]}, "step a", "twice"),
    ({"steps": [step(type="call", automatic=True)]}, "step a", "always manual"),
    ({"steps": [step(trigger={"from": "issue", "days": -1})]}, "step a", "before the issue date"),
    ({"steps": [step(trigger={"date": "2025-02-30"})]}, "step a", "not a date"),
    ({"steps": [step(contact_delay_days=-1)]}, "step a", "not between"),
    ({"steps": [step(contact_delay_days=10**30)]}, "step a", "not between"),
    ({"steps": [step(repeat_limit=3)]}, "step a", "repeat_every_days"),
    ({"steps": [step(owner="zoe@amber.example")]}, "step a", "no active member"),
    ({"steps": [step(owner="group:sales")]}, "step a", "no group"),
    ({"steps": [step(body="{{ invoice.nummer }}")]}, "step a", "nummer"),
    ({"steps": [step(subject="{{ 'x' * 200000000 }}")]}, "step a", "subject"),
    ({"steps": [step(body="{% for")]}, "step a", "body"),
    ({"steps": [step(body="a\x00b")]}, "step a", "cannot be stored"),
    ({"steps": [step(type="sms", recipients=["others"])]}, "step a", "main contact only"),
    ({"steps": [step(colour="red")]}, "step a", "colour"),
    ({"first_action": "last"}, "plan", "first_action"),
    ({"name": "Another"}, "/name", "address"),
    ({"contact_delay_days": 1.5}, "plan", "whole number"),
]  # fmt: skip


def test_a_plan_that_makes_no_sense(office: Office, subtests: pytest.Subtests) -> None:
    for change, where, word in NONSENSE:
        with subtests.test(change=str(change)[:60]):
            told = office.ada.fails(422, "PUT", "/plans/Standard", {**PLAN, **change})
            assert told["errors"][0]["where"] == where
            assert word in told["errors"][0]["reason"]
            office.ben.fails(404, "GET", "/plans/Standard")


def test_a_body_that_is_no_plan_at_all(office: Office) -> None:
    def sent(content: bytes, kind: str | None) -> int:
        headers = {"Content-Type": kind} if kind else {}
        answer = office.ada("PUT", "/plans/x", content=content, headers=headers)
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code

    assert sent(b"{", "application/json") == 400
    assert sent(b"[" * 100_000, "application/json") == 400
    assert sent(b"[]", "application/json") == 422
    assert sent(b'{"steps": "\xff"}', "application/json") == 400
    assert sent(b'{"steps": ["\\ud800"], "name": "\\ud800"}', "application/json") == 422
    assert sent(b"steps = [", "application/toml") == 400
    assert sent(b"\xff", "application/toml") == 400
    assert sent(b"steps: []", "application/yaml") == 415
    assert sent(b"{}", None) == 415
