"""The locks that a transaction takes, and the one order in which it takes them.

1. the imports of an organisation (a name, not a row): they follow one another;
2. the organisation: its settings and its plans are saved one after the other;
3. customers, by id; those who are new, by external id, as they are inserted;
4. what is a customer's needs no lock of its own: the customer's is held (rule 36);
5. an account that its provider refuses (``backoffice.people.held_accounts``), one for each send;
6. an address that is closed or opened (a name, ``store.closures``): one for each callback. A batch
   that changes closed addresses takes several, and may insert customers after that.

Who holds one of a larger number never asks for one of a smaller. Rows are locked FOR NO KEY UPDATE:
writers of a row follow one another, and who only refers to it (a foreign key) waits for nobody. The
one exception is a member who leaves (``backoffice.people.members.remove_member``). Decision 0024.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

from store import tables as t
from store.engine import is_lock_timeout
from store.unit import Unit

_AT_ONCE = 1000
_CUSTOMER = (
    select(t.Customer)
    .where(t.Customer.id == sa.bindparam("customer", type_=sa.Uuid))
    .with_for_update(key_share=True)
)
_IMPORTS = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class CustomerLocked(OperationalError):
    """Somebody else holds the customer for longer than we wait; the same again may work."""

    def __init__(self, customer_id: uuid.UUID, error: OperationalError) -> None:
        super().__init__(error.statement, None, error.orig or error, hide_parameters=True)
        self.customer_id = customer_id


def lock_imports(unit: Unit) -> None:
    """Two imports of an organisation follow one another."""
    unit.session.connection().execute(_IMPORTS, {"name": f"import/{unit.organisation_id}"})


def lock_organisation(unit: Unit) -> t.Organisation:
    """The organisation, read anew."""
    return unit.session.get_one(
        t.Organisation,
        unit.organisation_id,
        with_for_update={"key_share": True},
        populate_existing=True,
    )


def lock_customer(unit: Unit, customer_id: uuid.UUID) -> t.Customer:
    """The customer's row, locked until the transaction ends (rule 36). KeyError if unknown,
    CustomerLocked if somebody else holds it for longer than the transaction waits. Who needs
    several takes ``lock_customers``, or this one in the order of their ids."""
    if customer_id in unit.progress.locked:
        return unit.session.get_one(t.Customer, customer_id)
    if customer_id in unit.progress.held_by_others:
        raise unit.progress.held_by_others[customer_id]
    try:
        customer = unit.session.exec(
            _CUSTOMER,
            params={"customer": customer_id},
            execution_options={"populate_existing": True},
        ).one_or_none()
    except OperationalError as error:
        if is_lock_timeout(error):
            raise CustomerLocked(customer_id, error) from error
        raise
    if customer is None:
        raise KeyError(f"no customer {customer_id}")
    unit.progress.locked.add(customer_id)
    return customer


def lock_customers(unit: Unit, external_ids: Iterable[str]) -> list[t.Customer]:
    """Those of these external ids that there are."""
    ids: set[uuid.UUID] = set()
    for keys in parts(external_ids):
        ids |= set(
            unit.session.exec(
                select(t.Customer.id).where(
                    t.Customer.organisation_id == unit.organisation_id,
                    col(t.Customer.external_id).in_(keys),
                )
            )
        )
    found: list[t.Customer] = []
    for some in parts(ids):
        found += unit.session.exec(
            select(t.Customer)
            .where(col(t.Customer.id).in_(some))
            .order_by(col(t.Customer.id))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    unit.progress.locked.update(row.id for row in found)
    return found


def parts(keys: Iterable[Any]) -> Iterator[list[Any]]:
    """All of them once, in order, so many at a time that a statement stays short."""
    wanted = iter(sorted(set(keys)))
    while part := list(islice(wanted, _AT_ONCE)):
        yield part


_ADDRESS = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def lock_address(unit: Unit, kind: str, key: str) -> None:
    """What is heard about one address (``store.closures``) follows one another."""
    name = f"address/{unit.organisation_id}/{kind}/{key}"
    unit.session.connection().execute(_ADDRESS, {"name": name})
