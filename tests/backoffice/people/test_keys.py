"""The form of an API key."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from backoffice.people.keys import BILLING, authenticate, may_be_key, new_key
from store import tables as t
from store.engine import transaction
from store.unit import Unit

pytestmark = pytest.mark.services


def test_a_key_has_256_random_bits_and_keys_of_older_versions_are_read(engine: Engine) -> None:
    with transaction(engine) as session:
        organisation = t.Organisation(name="Amber & Sons")
        session.add(organisation)
        session.flush()
        key = new_key(Unit(session, organisation.id), BILLING, "billing")
        session.flush()
        found = authenticate(session, key)
        assert found is not None
        assert found.organisation_id == organisation.id
        assert authenticate(session, key[:-11]) is None
    assert len(key.rpartition("_")[2]) == 43  # of an alphabet of 62
    assert may_be_key(key[:-11])  # as long as keys of older versions
    assert not may_be_key(key[:-1])
