"""Plans: saved in versions, refused with the step and the reason."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from messages.processes import LimitedProcesses, TakesTooLong
from stand_ins.office import PLAN, Office, acme_body, invoice_body

EXAMPLES = Path(__file__).parents[3] / "examples"


def step(**more: Any) -> dict[str, Any]:
    return {"key": "a", "type": "email", "trigger": {"from": "due", "days": 1}, **more}


def test_a_plan_is_saved_in_versions(office: Office) -> None:
    saved = office.ada("PUT", "/plans/Standard", json=PLAN)
    assert (saved.status_code, saved.json()) == (
        201,
        {"result": "created", "name": "Standard", "version": 1},
    )
    assert office.ada.does("PUT", "/plans/Standard", PLAN)["result"] == "unchanged"
    changed = {**PLAN, "contact_delay_days": 7}
    del changed["name"]  # it is in the address
    assert office.ada.does("PUT", "/plans/Standard", changed)["version"] == 2
    (listed,) = office.ben.get("/plans")["items"]
    assert (listed["name"], listed["version"], listed["default"], listed["steps"]) == (
        "Standard",
        2,
        True,
        3,
    )
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
    ({"steps": [step(html="<p>a</p>")]}, "step a", "text part"),
    ({"steps": [step(body="a", html="{{ nope }}")]}, "step a", "html"),
    ({"steps": [step(texts={"fr": {"body": "{{ nope }}"}})]}, "step a", "texts.fr body"),
    ({"steps": [step(texts={"french": {"body": "a"}})]}, "step a", "not a language"),
    ({"steps": [step(texts={"fr": {"subject": "a"}})]}, "step a", "texts.fr: has no body"),
    ({"first_action": "last"}, "plan", "first_action"),
    ({"name": "Another"}, "/name", "address"),
    ({"contact_delay_days": 1.5}, "plan", "whole number"),
]


def test_an_invalid_plan_is_refused_with_step_and_reason(
    office: Office, subtests: pytest.Subtests
) -> None:
    for change, where, word in NONSENSE:
        with subtests.test(change=str(change)[:60]):
            told = office.ada.fails(422, "PUT", "/plans/Standard", {**PLAN, **change})
            assert told["errors"][0]["where"] == where
            assert word in told["errors"][0]["reason"]
            office.ben.fails(404, "GET", "/plans/Standard")


def test_a_body_that_is_no_plan_is_refused(office: Office) -> None:
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


# Previews.

SPOKEN: dict[str, Any] = {
    "name": "Spoken",
    "steps": [
        step(
            key="both",
            subject="Own {{ invoice.number }}",
            body="own {{ invoice.balance }}",
            html="<p onclick='x()'>Own</p>",
            texts={
                "fr": {"body": "En français : {{ invoice.due_on }}", "html": "<b>Oui</b>"},
                "pt-BR": {"subject": "Fatura", "body": "Em brasileiro"},
            },
        ),
        step(key="english", body="Only one language"),
        step(key="built-in"),
        step(key="call", type="call", body="Ask {{ contact.name }}."),
    ],
}


def asked(office: Office, name: str = "Spoken", **body: Any) -> Any:
    return office.ben.does("POST", f"/plans/{name}/preview", {"customer": "C-1"} | body)


def test_a_plan_is_previewed_for_a_real_customer(office: Office) -> None:
    office.acme()
    office.ada.does("PUT", "/plans/Spoken", SPOKEN)
    office.billing.does("PUT", "/customers/C-1", acme_body("eve@acme.example", language="fr-CH"))
    seen = asked(office)
    assert (seen["customer"], seen["invoice"]) == (
        "C-1",
        {"external_id": "INV-1", "number": "2025-001", "carrying": True},
    )
    both, english, built_in, call = seen["steps"]
    assert (both["language"], both["chosen"]) == ("fr", "base")
    assert both["missing_translations"] == []
    assert both["subject"] == "Own 2025-001"
    assert both["text"] == "En français : 3 mars 2025"
    assert "<b>Oui</b>" in both["html"]
    assert 'lang="fr-CH"' in both["html"]
    assert both["variables"]["invoice.due_on"] == "3 mars 2025"
    assert "customer.name" not in both["variables"]
    assert both["recipients"] == [{"role": "to", "address": "eve@acme.example", "name": "Eve"}]
    assert (both["sender_address"], both["problem"]) == ("ben@amber.example", "")
    assert (english["language"], english["chosen"]) == (None, "default")
    assert english["missing_translations"] == ["fr", "fr-CH", "pt-BR"]
    assert (built_in["language"], built_in["chosen"]) == ("fr", "built_in")
    assert built_in["text"].startswith("Bonjour Eve,")
    assert (call["text"], call["html"], call["problem"]) == ("Ask Eve.", None, "")
    assert office.nudges() == ["account_changed"]  # of the customer's language; none of a preview


def test_the_preview_of_an_sms_says_how_many_segments_it_has(office: Office) -> None:
    """One letter outside GSM-7 makes 70 characters a segment of 160."""
    office.acme()
    body = acme_body("eve@acme.example")
    body["contacts"][0]["phone"] = "+33 6 12 34 56 78"
    office.billing.does("PUT", "/customers/C-1", body)
    plan = {
        "steps": [
            step(key=key, type="sms", automatic=True, body=text)
            for key, text in (("plain", "a" * 150), ("greek", "ω" * 150))
        ]
    }
    seen = asked(office, "Standard", plan=plan)
    assert [s["segments"] for s in seen["steps"]] == [1, 3]
    assert seen["steps"][0]["recipients"][0]["address"] == "+33612345678"


def test_what_is_previewed_is_what_is_sent(office: Office) -> None:
    office.acme()
    office.at("2025-03-04 08:30")
    shown = asked(office, "Standard", step="mail")["steps"]
    office.review()
    office.send()
    (sent,) = office.ada.get("/outbox")["items"]
    message = office.ada.get(f"/outbox/{sent['delivery_id']}")
    assert [(s["subject"], s["text"], s["html"]) for s in shown] == [
        (message["subject"], message["text"], message["html"])
    ]


def test_a_plan_that_is_not_saved_is_previewed(office: Office) -> None:
    office.acme()
    changed = {"steps": [step(body="New {{ customer.name }}"), step(key="b", body="{{ nope }}")]}
    good, bad = asked(office, "Standard", plan=changed)["steps"]
    assert (good["text"], good["problem"]) == ("New Acme", "")
    assert (bad["text"], bad["html"], bad["variables"]) == ("", None, {})
    assert "unknown variable 'nope'" in bad["problem"]
    assert asked(office, "Nowhere yet", plan=changed, step="a")["steps"][0]["text"] == "New Acme"
    assert office.ben.get("/plans/Standard")["definition"]["contact_delay_days"] == 5


def test_a_step_that_reaches_nobody_says_so_and_is_shown(office: Office) -> None:
    office.acme(email="")
    (mail,) = asked(office, "Standard", step="mail")["steps"]
    assert mail["text"].startswith("Please pay")
    assert (mail["recipients"], mail["flagged_contacts"]) == ([], ["Eve"])
    assert "nobody to send to" in mail["problem"]


def test_without_a_carrying_invoice_the_oldest_open_one_is_shown(office: Office) -> None:
    office.acme()
    office.billing.does(
        "PUT", "/invoices/INV-0", invoice_body(number="2025-000", due_on="2025-02-20")
    )
    for number in ("INV-0", "INV-1"):
        office.ben.does("POST", f"/invoices/{number}/dispute", {"reason": "late"})
    seen = asked(office, "Standard", step="mail")
    assert seen["invoice"] == {"external_id": "INV-0", "number": "2025-000", "carrying": False}
    assert seen["steps"][0]["subject"] == "2025-000 is overdue"


def test_impossible_previews_are_refused(office: Office) -> None:
    office.acme()
    path = "/plans/Standard/preview"
    office.ben.fails(404, "POST", path, {"customer": "C-9"})
    office.ben.fails(404, "POST", path, {"customer": "C-1", "step": "nope"})
    office.ben.fails(404, "POST", "/plans/Harsh/preview", {"customer": "C-1"})
    office.ben.fails(422, "POST", path, {"customer": "C-1", "plan": {"steps": []}})
    office.ben.fails(422, "POST", path, {"customer": "C-1", "plan": {**PLAN, "name": "Other"}})
    office.ben.fails(422, "POST", path, {"customer": "C-1", "colour": "red"})
    office.billing.fails(403, "POST", path, {"customer": "C-1"})
    office.billing.does("PUT", "/customers/C-2", acme_body("b@b.example", contacts=[]))
    told = office.ben.fails(409, "POST", path, {"customer": "C-2"})
    assert told["detail"] == "this customer has no open invoice to preview with"


def hostile(languages: int) -> dict[str, Any]:
    """Texts of 48 kB that take long: chains of comparisons in many languages."""
    chain = "{{ outstanding" + "<1" * 24_000 + " }}"
    tags = [f"{a}{b}" for a in "abcde" for b in "abcd"][:languages]
    return step(subject="a", body="a", texts={tag: {"body": chain} for tag in tags})


def test_a_hostile_plan_is_refused_at_once(office: Office) -> None:
    office.acme()
    office.ben("POST", "/plans/check", json=PLAN)  # starts the process that checks texts
    plan = {"name": "Slow", "steps": [hostile(20)]}
    began = time.monotonic()
    for who, method, path in (
        (office.ben, "POST", "/plans/check"),
        (office.ada, "PUT", "/plans/Slow"),
    ):
        problem = who.fails(422, method, path, plan)
        assert "words and signs" in problem["detail"]
    assert time.monotonic() - began < 3  # 31 s for each before there were limits


def test_texts_that_take_too_long_are_a_problem_and_not_a_crash(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(*_: object) -> None:
        raise TakesTooLong

    office.acme()
    monkeypatch.setattr(LimitedProcesses, "run", too_long)
    problem = office.ben.fails(422, "POST", "/plans/check", PLAN)
    assert "its texts take too long to check" in problem["detail"]
    problem = office.ben.fails(422, "POST", "/plans/Standard/preview", {"customer": "C-1"})
    assert "take too long to render" in problem["detail"]
