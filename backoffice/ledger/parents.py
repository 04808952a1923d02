"""The customer above a customer."""

from __future__ import annotations

from dunning.ids import CustomerId
from store import bulk
from store import tables as t
from store.errors import Invalid
from store.unit import Unit

_MOST_LEVELS = 50


def parent_of(unit: Unit, customer: t.Customer, parent: str | None) -> CustomerId | None:
    """The id of the parent with this external id; None for None. Raises Invalid for one that is
    unknown, for a circle, and for more than 50 customers above one another."""
    if parent is None:
        return None
    row: t.Customer | None = bulk.find(unit, t.Customer, parent)
    if row is None:
        raise Invalid.at("/parent", f"no customer {parent!r}; report the parent first")
    above: t.Customer | None = row
    levels = 0
    while above is not None:
        if above.id == customer.id:
            raise Invalid.at("/parent", "a customer cannot be its own parent or ancestor")
        levels += 1
        if levels > _MOST_LEVELS:
            raise Invalid.at("/parent", f"more than {_MOST_LEVELS} customers above one another")
        above = unit.session.get(t.Customer, above.parent_id) if above.parent_id else None
    return row.id
