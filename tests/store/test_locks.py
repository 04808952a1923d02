"""A customer is locked and loaded within its organisation alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from dunning.ids import CustomerId
from stand_ins.history import organisation_with_history
from store.engine import transaction
from store.load import load
from store.locks import lock_customer
from store.unit import Unit


@pytest.mark.parametrize(
    "finds",
    [lock_customer, load, lambda unit, customer_id: load(unit, customer_id, lock=False)],
    ids=["lock", "load", "read"],
)
def test_a_customer_of_another_organisation_is_not_found(
    engine: Engine, finds: Callable[[Unit, CustomerId], object]
) -> None:
    with transaction(engine) as session:
        amber, known = organisation_with_history(session, {"acme": 1})
        berg, _ = organisation_with_history(session, {"acme": 1})
        assert finds(Unit(session, amber), known["acme"])
        with pytest.raises(KeyError, match=str(known["acme"])):
            finds(Unit(session, berg), known["acme"])
