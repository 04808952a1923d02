"""Who owns an action (rule 33): Ada was assigned first, Ben second; Cleo is the admin."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from backoffice.people.groups import set_group
from backoffice.people.members import put_member
from backoffice.people.owners import check_owner, owner_for
from store import tables as t
from store.engine import transaction
from store.errors import Invalid
from store.unit import Unit


def _house(session: Session) -> tuple[t.Customer, dict[str, t.Member]]:
    organisation = t.Organisation(name="Ada & Co")
    session.add(organisation)
    session.flush()
    roles = {"Cleo": "admin", "Dora": "member", "Ben": "member", "Ada": "member"}
    members = {
        name: put_member(Unit(session, organisation.id), f"{name.lower()}@example.com", name, role)
        for name, role in roles.items()
    }
    customer = t.Customer(organisation_id=organisation.id, external_id="acme", name="Acme")
    session.add(customer)
    session.flush()
    for rank, name in enumerate(("Ada", "Ben")):
        link = t.CustomerMember(customer_id=customer.id, member_id=members[name].id, rank=rank)
        session.add(link)
    set_group(Unit(session, organisation.id), "legal", [members["Dora"], members["Ben"]])
    set_group(Unit(session, organisation.id), "night shift", [members["Dora"]])
    session.flush()
    return customer, members


@pytest.mark.parametrize(
    ("rule", "owner"),
    [
        ("assigned", "Ada"),  # of several, the one assigned first
        ("group:legal", "Ben"),  # all of it: the one assigned to the customer goes first
        ("group:legal:assigned", "Ben"),
        ("group:night shift", "Dora"),  # nobody of it is assigned: one of it all the same
        ("group:night shift:assigned", "Ada"),  # nobody: the first assigned member
        ("dora@example.com", "Dora"),
        ("Dora", "Dora"),
        ("nobody@example.com", "Ada"),
    ],
)
def test_rule_33_of_several_the_one_assigned_first(engine: Engine, rule: str, owner: str) -> None:
    with transaction(engine) as session:
        customer, _ = _house(session)
        found = owner_for(Unit(session, customer.organisation_id), customer, rule)
        assert found is not None
        assert found.name == owner


def test_rule_33_a_member_who_left_owns_nothing_new(engine: Engine) -> None:
    with transaction(engine) as session:
        customer, members = _house(session)
        members["Ada"].active = members["Ben"].active = False
        session.flush()
        found = owner_for(Unit(session, customer.organisation_id), customer, "assigned")
        assert found is not None
        assert found.name == "Cleo"  # nobody assigned is left, so an admin gets it


@pytest.mark.parametrize("rule", ["group:absent", "absent@example.com", "group:legal:some"])
def test_a_plan_cannot_name_who_does_not_exist(engine: Engine, rule: str) -> None:
    with transaction(engine) as session:
        customer, _ = _house(session)
        with pytest.raises(Invalid, match="owner"):
            check_owner(Unit(session, customer.organisation_id), "call", rule)
