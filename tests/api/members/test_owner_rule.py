"""Rule 29: only its owner sees an open manual action, not even an admin does."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from stand_ins.office import Office
from tests.cast.shown_texts import texts, without_id


def test_to_others_an_open_action_is_like_one_that_does_not_exist(office: Office) -> None:
    action = office.bens_call()["id"]
    nothing = str(uuid.uuid4())
    asked = (
        ("GET", "", None),
        ("PATCH", "", {"note": "mine now"}),
        ("POST", "/complete", {"note": "done"}),
        ("POST", "/skip", {"reason": "no"}),
        ("POST", "/reassign", {"to": "ada@amber.example"}),
    )
    for who in (office.ada, office.cleo):
        for method, what, body in asked:
            real = who.fails(404, method, f"/actions/{action}{what}", body)
            none = who.fails(404, method, f"/actions/{nothing}{what}", body)
            assert without_id(real, action) == without_id(none, nothing)
    assert office.ben.get(f"/actions/{action}")["status"] == "to_do"


LISTS: list[dict[str, Any]] = [
    {},
    {"scope": "all"},
    {"scope": "all", "status": "to_do"},
    {"scope": "all", "customer": "C-1"},
    {"scope": "all", "automatic": False},
    {"status": "to_do"},
    {"scope": "all", "limit": 1},
]


def test_no_list_shows_or_counts_the_open_action_of_somebody_else(
    office: Office, subtests: pytest.Subtests
) -> None:
    action = office.bens_call()["id"]
    for params in LISTS:
        with subtests.test(**params):
            for who in (office.ada, office.cleo):
                page = who.get("/actions", **params)
                assert action not in str(page)
                assert [a["name"] for a in page["items"]] in ([], ["1st reminder"])
                assert page["next_cursor"] is None
            assert action in str(office.ben.get("/actions", **{**params, "limit": 200}))


def test_timelines_show_an_action_to_others_once_it_has_ended(office: Office) -> None:
    action = office.bens_call()["id"]
    office.ben.does("PATCH", f"/actions/{action}", {"note": "call after lunch"})
    for path in ("/customers/C-1/timeline", "/invoices/INV-1/timeline"):
        assert any("Call them" in text for text in texts(office.ben, path))
        for who in (office.ada, office.cleo):
            assert not any("Call them" in text for text in texts(who, path))
            assert any("1st reminder" in text for text in texts(who, path))
            assert action not in str(who.get(path))
    office.ben.does("POST", f"/actions/{action}/complete", {"note": "she pays"})
    for path in ("/customers/C-1/timeline", "/invoices/INV-1/timeline"):
        assert texts(office.cleo, path) == texts(office.ben, path)
        assert any("she pays" in text for text in texts(office.cleo, path))


def test_customers_and_invoices_look_the_same_with_and_without_an_open_action(
    office: Office,
) -> None:
    action = office.bens_call()["id"]
    paths = ("/customers", "/customers/C-1", "/invoices", "/invoices/INV-1")
    open_ = [office.cleo.get(path) for path in paths]
    office.ben.does("POST", f"/actions/{action}/complete")
    assert [office.cleo.get(path) for path in paths] == open_


def test_actions_of_a_member_who_leaves_are_handed_on_unseen(office: Office) -> None:
    action = office.bens_call()["id"]
    told = office.ada.fails(409, "DELETE", "/members/ben@amber.example")
    assert "1" not in told["detail"].replace("/v1/", "").replace(office.ids["Ben"], "")
    office.cleo.fails(
        403, "POST", "/members/ben@amber.example/reassign-actions", {"to": "cleo@amber.example"}
    )
    office.ada.does("PUT", "/members/ben@amber.example/absence", {"from": "2025-03-11"})
    path = f"/members/{office.ids['Ben']}/reassign-actions"
    assert office.ada.does("POST", path, {"to": "cleo@amber.example"}) is None
    office.ada.fails(404, "GET", f"/actions/{action}")
    assert office.cleo.get(f"/actions/{action}")["owner"]["name"] == "Cleo"
    assert any("is now Cleo's" in text for text in texts(office.cleo, "/customers/C-1/timeline"))
    assert not any("Cleo's" in text for text in texts(office.ada, "/customers/C-1/timeline"))
    office.ada.does("DELETE", "/members/ben@amber.example")
    office.ben.fails(401, "GET", "/me")


def test_a_billing_key_owns_nothing(office: Office) -> None:
    action = office.bens_call()["id"]
    for method, path in (
        ("GET", "/actions"),
        ("GET", f"/actions/{action}"),
        ("POST", f"/actions/{action}/complete"),
        ("GET", "/customers/C-1/timeline"),
        ("GET", "/customers/C-1/next"),
        ("GET", "/outbox"),
    ):
        office.billing.fails(403, method, path)
