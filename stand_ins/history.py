"""Customers with many closed invoices and their past actions, inserted by SQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session

from backoffice.people.plans import put_plan
from dunning.ids import CustomerId, OrganisationId
from store import tables as t
from store.unit import Unit

#: Open invoices of each customer.
OPEN = 2

_STEP = {
    "key": "email",
    "name": "email",
    "type": "email",
    "automatic": True,
    "trigger": {"from": "due", "days": 1},
    "subject": "s",
    "body": "b",
}

_INVOICES = """
    INSERT INTO invoice (id, organisation_id, customer_id, external_id, number, issued_on, due_on,
        total, balance, currency, status, closed_reason, dispute_reason, created_at)
    SELECT gen_random_uuid(), :org, c.id, c.external_id || '-' || n, c.external_id || '-' || n,
        date '2020-01-01' + n % 1500, date '2020-01-31' + n % 1500, 100,
        CASE WHEN n <= :open THEN 100 ELSE 0 END, 'EUR',
        CASE WHEN n <= :open THEN 'open' ELSE 'paid' END, '', '', now() - interval '1 year'
    FROM customer c
    JOIN jsonb_each_text(:closed) AS k ON k.key = c.external_id
    CROSS JOIN generate_series(1, CAST(k.value AS integer) + :open) AS n
    WHERE c.organisation_id = :org
"""
_CREDITS = """
    INSERT INTO credit (id, organisation_id, customer_id, kind, external_id, amount, currency,
        on_date, reversed_reason, created_at)
    SELECT gen_random_uuid(), :org, customer_id, 'payment', external_id, 100, 'EUR', due_on, '',
        now()
    FROM invoice WHERE organisation_id = :org AND status = 'paid'
"""
_APPLICATIONS = """
    INSERT INTO application (credit_id, invoice_id, amount)
    SELECT c.id, i.id, 100 FROM credit c
    JOIN invoice i ON i.organisation_id = :org AND i.external_id = c.external_id
    WHERE c.organisation_id = :org
"""
#: An email, a call and a task of each closed invoice, and an SMS that was skipped.
_ACTIONS = """
    INSERT INTO action (id, organisation_id, customer_id, invoice_id, step_key, name, occurrence,
        attempt, type, automatic, status, reason, ended_by, note, edits, executed_at, ended_at,
        created_at)
    SELECT gen_random_uuid(), :org, i.customer_id, i.id, k.type, k.type, 0, 0, k.type, false,
        k.status, '', '', '', '{}', CASE WHEN k.status = 'done' THEN i.at END, i.at, i.at
    FROM (
        SELECT id, customer_id, now() - interval '3 days' * row_number() OVER (
            PARTITION BY customer_id ORDER BY id) AS at
        FROM invoice WHERE organisation_id = :org AND status = 'paid'
    ) AS i
    CROSS JOIN (
        VALUES ('email', 'done'), ('call', 'done'), ('task', 'done'), ('sms', 'skipped')
    ) AS k (type, status)
"""
_DELIVERIES = """
    INSERT INTO delivery (id, organisation_id, customer_id, action_id, channel, provider, status,
        settled_at, sends, look_ups, provider_id, tracking_number, error, message, message_hash)
    SELECT gen_random_uuid(), :org, customer_id, id, 'email', 'outbox', 'accepted', now(), 1, 0,
        '', '', '', '{}', ''
    FROM action WHERE organisation_id = :org AND type = 'email'
"""
_PROMISES = """
    INSERT INTO promise (id, customer_id, invoice_id, promised_on, balance_then, note, created_by,
        created_at, outcome)
    SELECT gen_random_uuid(), customer_id, id, due_on, 100, '', '', now(), 'kept'
    FROM invoice WHERE organisation_id = :org AND status = 'paid'
"""
#: Pauses that have ended.
_PAUSES = """
    INSERT INTO pause (id, customer_id, invoice_id, until, reason, created_by, created_at)
    SELECT gen_random_uuid(), customer_id, id, due_on, '', '', now()
    FROM invoice WHERE organisation_id = :org AND status = 'paid'
"""
_TIMELINE = """
    INSERT INTO timeline (organisation_id, customer_id, invoice_id, at, kind, text, by)
    SELECT :org, customer_id, id, now(), 'invoice_paid', number || ' is paid', 'billing'
    FROM invoice WHERE organisation_id = :org AND status = 'paid'
"""
#: The email of one open invoice is done, and that of the other is planned.
_OPEN_ACTIONS = """
    INSERT INTO action (id, organisation_id, customer_id, invoice_id, step_key, name, occurrence,
        attempt, type, automatic, status, reason, ended_by, note, edits, executed_at, created_at)
    SELECT gen_random_uuid(), :org, customer_id, id, 'email', 'email', 0, 0, 'email', true,
        CASE WHEN place = 1 THEN 'done' ELSE 'planned' END, '', '', '', '{}',
        CASE WHEN place = 1 THEN now() - interval '1 day' END, now()
    FROM (
        SELECT id, customer_id, row_number() OVER (PARTITION BY customer_id ORDER BY id) AS place
        FROM invoice WHERE organisation_id = :org AND status = 'open'
    ) AS i
"""


#: In the order of the foreign keys.
_FACTS = (_INVOICES, _CREDITS, _APPLICATIONS)
_STATEMENTS = (*_FACTS, _ACTIONS, _DELIVERIES, _PROMISES, _PAUSES, _TIMELINE, _OPEN_ACTIONS)


def organisation_with_history(
    session: Session, closed: dict[str, int]
) -> tuple[OrganisationId, dict[str, CustomerId]]:
    """An organisation whose plan has one step, and its customers by external id, each with two open
    invoices and as many paid ones as ``closed`` says."""
    organisation = t.Organisation(name="Long past")
    session.add(organisation)
    session.flush()
    put_plan(Unit(session, organisation.id), {"name": "P", "steps": [_STEP]}, lambda _: None)
    customers = {
        key: t.Customer(organisation_id=organisation.id, external_id=key, name=key)
        for key in closed
    }
    session.add_all(customers.values())
    session.flush()
    contacts = [
        t.Contact(customer_id=c.id, external_id="main", main=True) for c in customers.values()
    ]
    session.add_all(contacts)
    session.add_all(
        t.ContactAddress(contact_id=c.id, kind="email", address="a@b.example") for c in contacts
    )
    session.flush()
    values = {"org": organisation.id, "closed": closed, "open": OPEN}
    for statement in _STATEMENTS:
        clause = sa.text(statement)
        names = clause.compile().params
        if "closed" in names:
            clause = clause.bindparams(sa.bindparam("closed", type_=JSONB))
        session.connection().execute(clause, {name: values[name] for name in names})
    return organisation.id, {key: customer.id for key, customer in customers.items()}
