"""Open actions of members who left or are absent are handed on, and of no others (rule 29)."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stand_ins.office import Caller, Office
from store import tables as t
from store.engine import transaction

BEN = "/members/ben@amber.example"


def reassign(office: Office, to: str = "ada@amber.example") -> tuple[str, str, dict[str, str]]:
    return "POST", f"/members/{office.ids['Ben']}/reassign-actions", {"to": to}


def test_an_admin_cannot_take_the_actions_of_a_member_who_is_there(office: Office) -> None:
    action = office.bens_call()["id"]
    told = office.ada.fails(409, *reassign(office))
    assert "Ben is there" in told["detail"]
    assert office.ben.get(f"/actions/{action}")["owner"]["name"] == "Ben"
    office.ada.fails(404, "GET", f"/actions/{action}")


def test_actions_are_not_handed_on_before_or_after_an_absence(office: Office) -> None:
    office.bens_call()  # on 11 March
    office.ben.does("PUT", f"{BEN}/absence", {"from": "2025-03-12", "until": "2025-03-14"})
    office.ada.fails(409, *reassign(office))
    office.at("2025-03-15 00:30")
    office.ada.fails(409, *reassign(office))
    office.at("2025-03-14 23:30")  # its last day, in the organisation's time zone
    office.ada.does(*reassign(office))


def test_the_actions_of_an_absent_member_are_handed_on_and_both_are_told(office: Office) -> None:
    action = office.bens_call()["id"]
    absence = office.ada.does("PUT", f"{BEN}/absence", {"from": "2025-03-11"})
    assert absence == {"from": "2025-03-11", "until": None, "set_by": "Ada"}
    assert office.ada.does(*reassign(office, "cleo@amber.example")) is None
    assert office.cleo.get(f"/actions/{action}")["owner"]["name"] == "Cleo"
    office.ada.fails(404, "GET", f"/actions/{action}")
    me = office.ben.get("/me")
    assert me["absence"] == absence
    assert [(n["kind"], n["by"], n["text"]) for n in me["notices"]] == [
        ("actions_reassigned", "Ada", "the open actions of Ben are handed on to Cleo"),
        ("absence_set", "Ada", "Ben is absent from 2025-03-11"),
    ]
    assert [e["kind"] for e in office.ada.get("/audit")["items"]] == [
        "actions_reassigned",
        "absence_set",
    ]
    assert [e["kind"] for e in office.cleo.get("/audit")["items"]] == []


def test_actions_of_a_member_who_left_are_handed_on_without_an_absence(office: Office) -> None:
    action = office.bens_call()["id"]
    with transaction(office.engine) as session:
        session.get_one(t.Member, uuid.UUID(office.ids["Ben"])).active = False
    office.ada.does(*reassign(office, "cleo@amber.example"))
    assert office.cleo.get(f"/actions/{action}")["owner"]["name"] == "Cleo"


def test_an_absence_is_set_changed_shown_and_ended(office: Office) -> None:
    body = {"from": "2025-03-10", "until": "2025-03-14"}
    assert office.ben.does("PUT", f"{BEN}/absence", body) == {**body, "set_by": "Ben"}
    longer = {**body, "until": "2025-03-21"}
    assert office.ben.does("PUT", f"{BEN}/absence", longer) == {**longer, "set_by": "Ben"}
    shown = {m["name"]: m["absence"] for m in office.cleo.get("/members")["items"]}
    assert shown == {"Ada": None, "Ben": {**longer, "set_by": "Ben"}, "Cleo": None}
    office.cleo.fails(403, "PUT", f"{BEN}/absence", body)
    office.cleo.fails(403, "DELETE", f"{BEN}/absence")
    office.ben.does("DELETE", f"{BEN}/absence")
    office.ben.fails(404, "DELETE", f"{BEN}/absence")
    assert office.ben.get("/me")["absence"] is None
    assert office.ben.get("/me")["notices"] == []  # all of it was his own doing
    office.billing.fails(403, "PUT", f"{BEN}/absence", body)


def test_an_absence_that_is_over_is_not_shown(office: Office) -> None:
    office.ben.does("PUT", f"{BEN}/absence", {"from": "2025-03-10", "until": "2025-03-14"})
    office.at("2025-03-15 08:00")
    assert office.ben.get("/me")["absence"] is None


def test_two_who_set_an_absence_at_once_make_one(office: Office) -> None:
    ready = threading.Barrier(2)

    def sets(who: Caller) -> int:
        ready.wait()
        return who("PUT", f"{BEN}/absence", json={"from": "2025-03-10"}).status_code

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(sets, (office.ada, office.ben))) == [200, 200]


ABSENCES: list[tuple[dict[str, Any], str]] = [
    ({}, "/from"),
    ({"until": "2025-03-14"}, "/from"),
    ({"from": "tomorrow"}, "/from"),
    ({"from": "2025-03-14", "until": "2025-03-13"}, "/until"),
    ({"from": "2025-03-01", "until": "2025-03-03"}, "/until"),  # it is 4 March
]


@pytest.mark.parametrize(("body", "where"), ABSENCES)
def test_an_invalid_absence_is_refused(office: Office, body: Any, where: str) -> None:
    told = office.ben.fails(422, "PUT", f"{BEN}/absence", body)
    assert [e["where"] for e in told["errors"]] == [where]


def test_actions_are_not_handed_on_to_the_same_member_or_one_who_left(office: Office) -> None:
    office.bens_call()
    office.ada.does("PUT", f"{BEN}/absence", {"from": "2025-03-11"})
    office.ada.does("DELETE", "/members/cleo@amber.example")
    for to in ("ben@amber.example", "cleo@amber.example"):
        told = office.ada.fails(422, *reassign(office, to))
        assert told["errors"][0]["where"] == "/to"
