"""The members who are assigned to a customer (rule 33)."""

from __future__ import annotations

from sqlmodel import col, select

from dunning.ids import MemberId
from dunning.spellings import lower_case
from store import tables as t
from store.errors import Invalid
from store.unit import Unit


def put_members(unit: Unit, customer: t.Customer, emails: list[str]) -> bool:
    """Assign the members with these email addresses, in this order; whether that is a change.
    Raises Invalid where there is no active member with an address."""
    wanted = _ids(unit, customer, emails)
    statement = select(t.CustomerMember).where(t.CustomerMember.customer_id == customer.id)
    rows = unit.session.exec(statement.order_by(col(t.CustomerMember.rank))).all()
    if [r.member_id for r in rows] == wanted:
        return False
    for row in rows:
        unit.session.delete(row)
    unit.session.flush()
    for rank, member_id in enumerate(wanted):
        unit.session.add(t.CustomerMember(customer_id=customer.id, member_id=member_id, rank=rank))
    unit.session.flush()
    return True


def _ids(unit: Unit, customer: t.Customer, emails: list[str]) -> list[MemberId]:
    active = select(t.Member).where(
        t.Member.organisation_id == customer.organisation_id, col(t.Member.active)
    )
    known = {lower_case(member.email): member.id for member in unit.session.exec(active)}
    wanted: list[MemberId] = []
    for place, email in enumerate(emails):
        member_id = known.get(lower_case(email))
        if member_id is None:
            raise Invalid.at(f"/members/{place}", f"no active member with the address {email!r}")
        if member_id not in wanted:
            wanted.append(member_id)
    return wanted
