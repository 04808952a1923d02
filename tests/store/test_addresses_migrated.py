"""The migration that moves addresses of contacts into rows keeps everything known of them."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import command
from sqlalchemy import Engine

from store import tables as t
from store.contacts import persons_of
from store.engine import alembic_config, transaction
from store.unit import Unit

NOW = datetime(2025, 3, 4, 9, tzinfo=UTC)
LYON = {"city": "Lyon", "country": "FR"}
INSERT = sa.text(
    """
    INSERT INTO contact (id, customer_id, external_id, name, position, language, main, email,
        email_invalid, phone, phone_invalid, postal, postal_invalid, superseded, fixed)
    VALUES (:id, :customer, :key, '', '', '', false, :email, :email_invalid, :phone, '',
        CAST(:postal AS jsonb), :postal_invalid, CAST(:superseded AS jsonb), CAST(:fixed AS jsonb))
    """
)
NOTHING = {
    "email": "",
    "email_invalid": "",
    "phone": "",
    "postal": {},
    "postal_invalid": "",
    "superseded": {},
    "fixed": {},
}
CONTACTS = {
    "nobody": {},
    "eve": {
        "email": "Eve@acme.example",
        "email_invalid": "bounced",
        "postal": LYON,
        "postal_invalid": "no street",
    },
    "corrected": {
        "email": "new@acme.example",
        "phone": "06 12 34 56 78",
        "superseded": {"email": "", "postal": LYON},
        "fixed": {"email": [NOW.isoformat(), "2025-03-05T10:00:00+01:00"]},
    },
}


def test_migrated_addresses_keep_their_reasons_and_corrections(engine: Engine) -> None:
    with engine.connect() as connection:
        database = connection.connection.dbapi_connection.info.dbname  # type: ignore[union-attr]
    url = engine.url.set(database=database).render_as_string(hide_password=False)
    engine.dispose()
    command.downgrade(alembic_config(url), "0019")
    with transaction(engine) as session:
        house = t.Organisation(name="Amber & Sons")
        session.add(house)
        session.flush()
        customer = t.Customer(organisation_id=house.id, external_id="C-1", name="Acme")
        session.add(customer)
        session.flush()
        for key, more in CONTACTS.items():
            values = {**NOTHING, **more, "id": uuid.uuid4(), "customer": customer.id, "key": key}
            for name in ("postal", "superseded", "fixed"):
                values[name] = json.dumps(values[name])
            session.connection().execute(INSERT, values)
    command.upgrade(alembic_config(url), "head")
    with transaction(engine) as session:
        found = {
            one.row.external_id: {
                kind: (row.value, row.invalid, row.superseded, row.fixed_at)
                for kind, row in one.addresses.items()
            }
            for one in persons_of(Unit(session, house.id), customer.id)
        }
    assert found == {
        "nobody": {},
        "eve": {
            "email": ("Eve@acme.example", "bounced", None, []),
            "postal": (LYON, "no street", None, []),
        },
        "corrected": {
            "email": ("new@acme.example", "", "", [NOW, NOW.replace(day=5)]),
            "phone": ("06 12 34 56 78", "", None, []),
            "postal": ({}, "", LYON, []),
        },
    }
