"""A database with rows that is downgraded to before a migration and upgraded again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine
from sqlmodel import Session

from store import tables as t
from store.engine import alembic_config, transaction

NOW = datetime(2025, 3, 4, 9, tzinfo=UTC)


@contextmanager
def migrated_from_before(engine: Engine, title: str) -> Iterator[Session]:
    """Downgrade the database to before the migration with this title, and upgrade it again."""
    with engine.connect() as connection:
        database = connection.connection.dbapi_connection.info.dbname  # type: ignore[union-attr]
    url = engine.url.set(database=database).render_as_string(hide_password=False)
    config = alembic_config(url)
    revisions = ScriptDirectory.from_config(config).walk_revisions()
    (found,) = (script for script in revisions if script.doc.startswith(title))
    engine.dispose()
    command.downgrade(config, f"{found.down_revision}")
    command.upgrade(config, "head")
    with transaction(engine) as session:
        yield session


def acme(session: Session, **organisation: Any) -> tuple[t.Organisation, t.Customer, t.Invoice]:
    house = t.Organisation(name="Amber & Sons", **organisation)
    session.add(house)
    session.flush()
    customer = t.Customer(organisation_id=house.id, external_id="C-1", name="Acme")
    session.add(customer)
    session.flush()
    invoice = an_invoice(customer, "INV-1", balance=80)
    session.add(invoice)
    session.flush()
    return house, customer, invoice


def a_contact(
    session: Session, customer: t.Customer, key: str, *, email: str, **more: Any
) -> t.Contact:
    """A contact with an email address."""
    row = t.Contact(customer_id=customer.id, external_id=key)
    session.add(row)
    session.add(t.ContactAddress(contact_id=row.id, kind="email", address=email, **more))
    session.flush()
    return row


def an_invoice(customer: t.Customer, external_id: str, balance: int) -> t.Invoice:
    return t.Invoice(
        organisation_id=customer.organisation_id,
        customer_id=customer.id,
        external_id=external_id,
        number="1",
        issued_on=date(2025, 2, 1),
        total=Decimal(100),
        balance=Decimal(balance),
        currency="EUR",
    )


def a_credit(customer: t.Customer, kind: str, external_id: str, **more: Any) -> t.Credit:
    return t.Credit(
        organisation_id=customer.organisation_id,
        customer_id=customer.id,
        kind=kind,
        external_id=external_id,
        currency="EUR",
        on_date=date(2025, 3, 1),
        **{"amount": Decimal(20), **more},
    )


def an_action(customer: t.Customer, invoice: t.Invoice, **more: Any) -> t.Action:
    return t.Action(
        organisation_id=customer.organisation_id,
        customer_id=customer.id,
        invoice_id=invoice.id,
        **{"name": "Call", "type": "call", **more},
    )
