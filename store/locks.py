"""The locks of a transaction, and the one order in which they are taken.

1. the imports of an organisation (an advisory lock): one import at a time;
2. the organisation's row: its settings and plans are saved one at a time;
3. customers' rows, by id; new customers by external id, as they are inserted;
4. rows of a customer need no lock of their own: the customer's lock covers them (rule 36);
5. an account that its provider refuses (``backoffice.people.held_accounts``), one for each send;
6. an address that is closed or opened (an advisory lock, ``store.closures``): one for each
   callback. A batch that changes closed addresses takes several, and may insert customers later.

A transaction that holds a lock never takes one with a smaller number. Rows are locked FOR NO KEY
UPDATE, so that inserting a row that refers to them (a foreign key) does not wait. The one exception
is ``remove_member`` (``backoffice.people.members``). Decision 0024.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

from dunning.ids import CustomerId
from store import tables as t
from store.engine import is_lock_timeout
from store.unit import Unit

_AT_ONCE = 1000
_CUSTOMER = (
    select(t.Customer)
    .where(
        t.Customer.id == sa.bindparam("customer", type_=sa.Uuid),
        t.Customer.organisation_id == sa.bindparam("organisation", type_=sa.Uuid),
    )
    .with_for_update(key_share=True)
)
_IMPORTS = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class CustomerLocked(OperationalError):
    """Another transaction holds the customer for longer than we wait; a retry may succeed."""

    def __init__(self, customer_id: CustomerId, error: OperationalError) -> None:
        super().__init__(error.statement, None, error.orig or error, hide_parameters=True)
        self.customer_id = customer_id


def lock_imports(unit: Unit) -> None:
    """Wait until no other import of the organisation runs."""
    unit.session.connection().execute(_IMPORTS, {"name": f"import/{unit.organisation_id}"})


def lock_organisation(unit: Unit) -> t.Organisation:
    """The organisation's row, locked, and read again."""
    return unit.session.get_one(
        t.Organisation,
        unit.organisation_id,
        with_for_update={"key_share": True},
        populate_existing=True,
    )


def lock_customer(unit: Unit, customer_id: CustomerId) -> t.Customer:
    """The customer's row, locked until the transaction ends (rule 36). KeyError if the
    organisation has no such customer, CustomerLocked if another transaction holds it for longer
    than this one waits. Several customers: ``lock_customers``, or this one in the order of their
    ids."""
    if customer_id in unit.progress.locked:
        return unit.session.get_one(t.Customer, customer_id)
    if customer_id in unit.progress.held_by_others:
        raise unit.progress.held_by_others[customer_id]
    try:
        customer = unit.session.exec(
            _CUSTOMER,
            params={"customer": customer_id, "organisation": unit.organisation_id},
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
    """The existing customers with these external ids, locked."""
    ids: set[CustomerId] = set()
    for keys in parts(external_ids):
        ids |= set(
            unit.session.exec(
                select(col(t.Customer.id)).where(
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
    """The distinct keys in order, in parts that keep a statement short."""
    wanted = iter(sorted(set(keys)))
    while part := list(islice(wanted, _AT_ONCE)):
        yield part


_ADDRESS = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def lock_address(unit: Unit, kind: str, key: str) -> None:
    """One change of a closed address (``store.closures``) at a time."""
    name = f"address/{unit.organisation_id}/{kind}/{key}"
    unit.session.connection().execute(_ADDRESS, {"name": name})
