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
        ("assigned", "Ada"),  # the first assigned member
        ("group:legal", "Ben"),  # of the whole group, an assigned member comes first
        ("group:legal:assigned", "Ben"),
        ("group:night shift", "Dora"),  # nobody of the group is assigned: any member of it
        ("group:night shift:assigned", "Ada"),  # nobody of the group: the first assigned member
        ("dora@example.com", "Dora"),
        ("Dora", "Dora"),
        ("nobody@example.com", "Ada"),
    ],
)
def test_rule_33_of_several_members_the_first_assigned_is_the_owner(
    engine: Engine, rule: str, owner: str
) -> None:
    with transaction(engine) as session:
        customer, _ = _house(session)
        found = owner_for(Unit(session, customer.organisation_id), customer, rule)
        assert found is not None
        assert found.name == owner


def test_rule_33_a_member_who_left_is_not_made_an_owner(engine: Engine) -> None:
    with transaction(engine) as session:
        customer, members = _house(session)
        members["Ada"].active = members["Ben"].active = False
        session.flush()
        found = owner_for(Unit(session, customer.organisation_id), customer, "assigned")
        assert found is not None
        assert found.name == "Cleo"  # every assigned member has left, so an admin gets it


@pytest.mark.parametrize("rule", ["group:absent", "absent@example.com", "group:legal:some"])
def test_a_plan_that_names_an_unknown_owner_is_refused(engine: Engine, rule: str) -> None:
    with transaction(engine) as session:
        customer, _ = _house(session)
        with pytest.raises(Invalid, match="owner"):
            check_owner(Unit(session, customer.organisation_id), "call", rule)
