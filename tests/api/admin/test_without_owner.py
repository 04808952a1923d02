"""Actions without an owner: admins see them, and they get an owner once there is somebody."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlmodel import select

from backoffice.worklist.tasks import customer_did
from dunning.model import Cause
from stand_ins.office import Office, acme_body
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from tests.cast.shown_texts import texts, without_id


def everybody(office: Office, *, active: bool) -> None:
    """All members left, or all are back: as a database of an older version may have it."""
    with transaction(office.engine) as session:
        mine = select(t.Member).where(t.Member.organisation_id == office.id)
        for member in session.exec(mine):
            member.active = active


def a_call_of_nobody(office: Office) -> str:
    """Acme's call became due on 11 March, when no member was active; now all are back."""
    office.acme()
    office.at("2025-03-04 08:30")
    office.review()
    office.send()
    office.at("2025-03-11 10:00")
    everybody(office, active=False)
    assert office.review() == "await_owner"
    everybody(office, active=True)
    with transaction(office.engine) as session:
        row = session.exec(
            select(t.Action).where(
                t.Action.organisation_id == office.id, t.Action.status == "to_do"
            )
        ).one()
        assert row.owner_id is None
        return str(row.id)


def without_owner(office: Office) -> list[dict[str, Any]]:
    return list(office.ada.get("/actions", scope="without_owner")["items"])


def test_admins_see_what_nobody_owns_and_assign_it(office: Office) -> None:
    action = a_call_of_nobody(office)
    (listed,) = without_owner(office)
    assert (listed["id"], listed["owner"]) == (action, None)
    assert office.ada.get(f"/actions/{action}")["name"] == "Call them"
    assert "'Call them' (call) is to do" in texts(office.ada, "/customers/C-1/timeline")
    told = office.ada.fails(409, "POST", f"/actions/{action}/complete")
    assert "nobody owns this action" in told["detail"]
    assert office.ada.does("POST", f"/actions/{action}/assign", {"to": "ben@amber.example"}) is None
    assert without_owner(office) == []
    assert office.ben.does("POST", f"/actions/{action}/complete")["status"] == "done"
    assert "'Call them' is now Ben's" in texts(office.ben, "/customers/C-1/timeline")


def test_only_admins_see_actions_without_owner(office: Office) -> None:
    action, nothing = a_call_of_nobody(office), str(uuid.uuid4())
    office.cleo.fails(403, "GET", "/actions", params={"scope": "without_owner"})
    office.cleo.fails(403, "POST", f"/actions/{action}/assign", {"to": "cleo@amber.example"})
    assert action not in str(office.cleo.get("/actions", scope="all"))
    for method, what in (("GET", ""), ("POST", "/complete")):
        real = office.cleo.fails(404, method, f"/actions/{action}{what}")
        none = office.cleo.fails(404, method, f"/actions/{nothing}{what}")
        assert without_id(real, action) == without_id(none, nothing)
    assert not any("Call them" in x for x in texts(office.cleo, "/customers/C-1/timeline"))


def test_an_admin_neither_lists_nor_assigns_what_somebody_owns(office: Office) -> None:
    action, nothing = office.bens_call()["id"], str(uuid.uuid4())
    assert without_owner(office) == []
    to = {"to": "ada@amber.example"}
    real = office.ada.fails(404, "POST", f"/actions/{action}/assign", to)
    none = office.ada.fails(404, "POST", f"/actions/{nothing}/assign", to)
    assert without_id(real, action) == without_id(none, nothing)
    assert office.ben.get(f"/actions/{action}")["owner"]["name"] == "Ben"


def test_it_is_assigned_to_somebody_who_is_there(office: Office) -> None:
    action = a_call_of_nobody(office)
    office.ada.does("DELETE", "/members/cleo@amber.example")
    told = office.ada.fails(422, "POST", f"/actions/{action}/assign", {"to": "cleo@amber.example"})
    assert told["errors"][0]["where"] == "/to"
    office.ada.fails(404, "POST", f"/actions/{action}/assign", {"to": "dora@amber.example"})


def test_actions_without_owner_of_a_paused_customer_are_listed(office: Office) -> None:
    action = a_call_of_nobody(office)
    office.ben.does("POST", "/customers/C-1/pause")
    assert [a["id"] for a in without_owner(office)] == [action]


@pytest.mark.parametrize("name", ["Ben", "Dora"])  # comes back; is new
def test_an_action_without_owner_gets_one_when_a_member_joins(office: Office, name: str) -> None:
    action = a_call_of_nobody(office)
    everybody(office, active=False)
    with transaction(office.engine) as session:
        session.get_one(t.Member, uuid.UUID(office.ids["Ada"])).active = True
    office.nudges()
    office.ada.does("PUT", f"/members/{name.lower()}@amber.example", {"name": name})
    assert office.nudges() == ["account_changed"]
    assert office.review() == "await_owner"
    assert without_owner(office) == []
    owner = office.ben if name == "Ben" else office.ada  # Ben is assigned, else it is an admin's
    assert owner.get(f"/actions/{action}")["owner"]["name"] == ("Ben" if name == "Ben" else "Ada")


def test_an_action_without_owner_gets_one_when_a_member_is_assigned_to_the_customer(
    office: Office,
) -> None:
    action = a_call_of_nobody(office)
    office.billing.does("PUT", "/customers/C-1", acme_body(members=["cleo@amber.example"]))
    assert office.review() == "await_owner"
    assert office.cleo.get(f"/actions/{action}")["owner"]["name"] == "Cleo"
    told = texts(office.cleo, "/customers/C-1/timeline")
    assert "'Call them' is now Cleo's: nobody owned it" in told


def test_an_action_without_owner_gets_one_at_any_decision(office: Office) -> None:
    action = a_call_of_nobody(office)
    assert office.review() == "await_owner"
    assert office.ben.get(f"/actions/{action}")["owner"]["name"] == "Ben"


def test_the_open_action_of_a_member_who_left_has_no_owner(office: Office) -> None:
    """Made at the moment at which its owner was removed."""
    action = office.bens_call()["id"]
    with transaction(office.engine) as session:
        session.get_one(t.Member, uuid.UUID(office.ids["Ben"])).active = False
    assert [a["id"] for a in without_owner(office)] == [action]
    assert office.review() == "await_owner"
    assert office.ada.get(f"/actions/{action}")["owner"]["name"] == "Ada"


def test_a_task_about_a_former_members_message_is_not_theirs(office: Office) -> None:
    """Ben sent a letter and left; then its recipient unsubscribes, which somebody must see."""
    action = office.bens_call()["id"]
    office.ben.does("POST", f"/actions/{action}/complete")
    office.ada.does("DELETE", "/members/ben@amber.example")
    with transaction(office.engine) as session:
        done = session.get_one(t.Action, uuid.UUID(action))
        customer = session.get_one(t.Customer, done.customer_id)
        customer_did(
            Unit(session, customer.organisation_id, office.now),
            customer,
            Cause.REPLIED,
            "I paid",
            done,
        )
    (task,) = office.ada.get("/actions")["items"]
    assert (task["name"], task["owner"]["name"]) == ("answer the customer", "Ada")
