"""Every answer that cites a rule has a link to the text of the rule."""

from __future__ import annotations

import re
from typing import Any

from stand_ins.office import PLAN, Office


def has_anchor(office: Office, link: str) -> bool:
    page, _, anchor = link.partition("#")
    return f'id="{anchor}"' in office.client.get(page).text


def test_each_reason_of_what_happens_next_has_a_link(office: Office) -> None:
    office.acme()
    why = office.cleo.get("/customers/C-1/next")["why"]
    assert [one["link"] for one in why] == [f"/docs/rules#rule-{one['rule']}" for one in why]
    assert all(has_anchor(office, one["link"]) for one in why)


def test_a_withdrawn_action_and_its_timeline_entry_have_links(office: Office) -> None:
    path = f"/actions/{office.bens_call()['id']}"
    office.ben.does("POST", "/invoices/INV-1/dispute")
    office.review()
    action = office.ben.get(path)
    rule_41 = {"rule": 41, "link": "/docs/rules#rule-41"}
    assert (action["status"], action["rules"]) == ("withdrawn", [rule_41])
    [entry] = [
        entry
        for entry in office.ben.get("/invoices/INV-1/timeline")["items"]
        if entry["kind"] == "action_withdrawn"
    ]
    assert "(rule 41)" in entry["text"]
    assert entry["rules"] == [rule_41]


def test_a_message_that_cannot_be_made_has_a_link(office: Office) -> None:
    office.acme(email="")
    rule_35 = {"rule": 35, "link": "/docs/rules#rule-35"}
    steps = office.ben.does("POST", "/plans/Standard/preview", {"customer": "C-1"})["steps"]
    assert "(rule 35)" in steps[0]["problem"]
    assert [step["rules"] for step in steps if step["type"] == "email"] == [[rule_35], [rule_35]]
    office.at("2025-03-04 08:30")
    office.review()
    office.send()
    [action] = office.ben.get("/actions")["items"]
    whole = office.ben.get(f"/actions/{action['id']}")
    assert "(rule 35)" in whole["reason"]
    assert "(rule 35)" in whole["message_problem"]
    assert whole["rules"] == [rule_35]


def test_a_problem_that_cites_a_rule_has_a_link(office: Office) -> None:
    trigger = {"from": "due", "days": 1}
    text = {"key": "text", "type": "sms", "trigger": trigger, "recipients": ["others"]}
    told = office.ben.fails(422, "POST", "/plans/check", {**PLAN, "steps": [text]})
    assert "(rule 34)" in told["detail"]
    assert told["rules"] == [{"rule": 34, "link": "/docs/rules#rule-34"}]
    assert "rules" not in office.ben.fails(404, "GET", "/customers/C-9")


def test_every_rule_that_the_openapi_document_cites_is_a_link(office: Office) -> None:
    document = office.client.get("/openapi.json").json()
    described = list(descriptions(document))
    links = {link for text in described for link in re.findall(r"\]\((/docs/rules#[^)]*)\)", text)}
    assert len(links) > 20
    assert all(has_anchor(office, link) for link in links)
    assert [text for text in described if re.search(r"(?<!\[)\brules? \d", text)] == []


def descriptions(part: Any) -> list[str]:
    if isinstance(part, list):
        return [text for one in part for text in descriptions(one)]
    if not isinstance(part, dict):
        return []
    own = part.get("description")
    return [text for one in part.values() for text in descriptions(one)] + (
        [own] if isinstance(own, str) else []
    )
