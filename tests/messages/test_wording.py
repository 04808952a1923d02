"""Which text of a step is used, by the languages of the customer and the organisation."""

from __future__ import annotations

from typing import Any

import pytest

from messages.wording import Chosen, missing_languages, text_for
from plans.read import parse_plan


def step(**fields: Any) -> dict[str, Any]:
    return {"key": "s", "type": "email", "trigger": {"from": "due", "days": 1}} | fields


def data(**fields: Any) -> dict[str, Any]:
    return {"name": "p", "steps": [step()]} | fields


def texts(*languages: str, **own: str) -> Any:
    fields = {"subject": "Own", "body": "own"} | own
    return parse_plan(
        data(steps=[step(**fields, texts={name: {"body": f"in {name}"} for name in languages})])
    ).steps[0]


@pytest.mark.parametrize(
    ("languages", "customer", "organisation", "body", "chosen"),
    [
        (["fr", "pt", "pt-BR"], "pt_br", "fr", "in pt-BR", Chosen.EXACT),
        (["fr", "pt"], "pt-BR", "fr", "in pt", Chosen.BASE),
        (["zh", "zh-Hant"], "zh-Hant-TW", "fr", "in zh-Hant", Chosen.BASE),
        (["fr", "pt"], "pt", "fr", "in pt", Chosen.EXACT),
        (["fr", "pt-BR"], "pt", "fr", "in fr", Chosen.ORGANISATION),
        (["fr"], "sv", "fr-CH", "in fr", Chosen.ORGANISATION),
        (["fr"], "", "fr", "in fr", Chosen.ORGANISATION),
        (["fr"], "../../etc", "fr", "in fr", Chosen.ORGANISATION),
        (["de"], "sv", "fr", "own", Chosen.DEFAULT),
        ([], "", "", "own", Chosen.DEFAULT),
    ],
)
def test_the_text_is_in_the_customers_or_organisations_language_or_the_steps_own(
    languages: list[str], customer: str, organisation: str, body: str, chosen: Chosen
) -> None:
    found = text_for(texts(*languages), customer, organisation)
    assert (found.body, found.chosen) == (body, chosen)
    assert found.subject == "Own"  # no translation has a subject
    assert found.language == (body.removeprefix("in ") if body != "own" else "")


def test_a_step_without_a_body_takes_the_built_in_one_but_keeps_its_subject() -> None:
    found = text_for(texts("fr", body=" "), "sv", "en")
    assert (found.subject, found.chosen, found.language) == ("Own", Chosen.BUILT_IN, "")
    assert text_for(texts("fr", body=""), "fr", "en").body == "in fr"


def test_a_translation_is_never_sent_with_the_html_of_another_language() -> None:
    texts = {"fr": {"body": "Dû", "html": "<p>Bientôt due</p>"}, "pt-BR": {"body": "Em breve"}}
    plan = parse_plan(data(steps=[step(body="…", html="<p>…</p>", texts=texts)]))
    assert text_for(plan.steps[0], "fr", "").html == "<p>Bientôt due</p>"
    assert text_for(plan.steps[0], "pt-BR", "").html == ""
    assert text_for(plan.steps[0], "sv", "").html == "<p>…</p>"


def test_a_step_knows_the_languages_of_the_other_steps() -> None:
    more = [
        step(key="a", texts={"fr": {"body": "x"}, "pt-BR": {"body": "x"}}),
        step(key="b", texts={"pt": {"body": "x"}}),
        step(key="c"),
    ]
    plan = parse_plan(data(steps=more))
    assert [missing_languages(plan, s) for s in plan.steps] == [
        ("pt",),
        ("fr",),
        ("fr", "pt", "pt-BR"),
    ]
