"""Loads one customer's account, as the rules read it, under the customer's row lock."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal

from dunning import model as m
from dunning.ids import ActionId, ContactId, CustomerId, InvoiceId
from store import account
from store import tables as t
from store.account_statements import ACTIONS, AROUND, INVOICES
from store.calendars import calendar_of, spread_of
from store.closures import Closures, closures_of
from store.contacts import Person, persons_read
from store.locks import lock_customer
from store.unit import Unit


@dataclass(frozen=True, slots=True)
class Loaded:
    """An account with the rows that it was made from."""

    organisation: t.Organisation
    customer: t.Customer
    account: m.Account
    plan_version: t.PlanVersion | None
    invoices: dict[InvoiceId, t.Invoice]
    actions: dict[ActionId, t.Action]
    contacts: dict[ContactId, Person]
    closures: Closures

    def find_invoice(self, key: str | None) -> t.Invoice | None:
        """The row of an invoice that the account or a decision names; None: not loaded."""
        return self.invoices.get(InvoiceId(uuid.UUID(key))) if key else None


def load(unit: Unit, customer_id: CustomerId, *, lock: bool = True) -> Loaded:
    """The current account. ``lock=False`` is for reading only. KeyError if the organisation has no
    such customer."""
    customer = (
        lock_customer(unit, customer_id) if lock else unit.session.get(t.Customer, customer_id)
    )
    if customer is None or customer.organisation_id != unit.organisation_id:
        raise KeyError(f"no customer {customer_id}")
    who = {"customer": customer_id}
    anew = {"populate_existing": True}
    around = unit.session.execute(AROUND, who, execution_options=anew).one()
    rows = unit.session.exec(ACTIONS, params=who).all()
    invoices = {i.id: i for i in unit.session.exec(INVOICES, params=who)}
    persons = persons_read(around.contacts or (), around.addresses or ())
    contacts = {person.row.id: person for person in persons}
    organisation, version = around.Organisation, around.PlanVersion
    calendar = calendar_of(organisation)
    closures = closures_of(customer.country, around.heard or ())
    pauses = account.pauses_of(around.pauses or ())
    promises = account.promises_of(around.promises or ())
    found = m.Account(
        customer_id=str(customer.id),
        calendar=calendar,
        plan=account.plan_of(version) if version else None,
        plan_id=str(version.plan_id) if version else "",
        invoices=tuple(
            account.invoice_of(row, pauses, promises, customer.terms_days)
            for row in invoices.values()
        ),
        actions=tuple(account.action_of(unit, organisation, calendar, *row) for row in rows),
        contacts=tuple(account.contact_of(row, closures) for row in contacts.values()),
        pauses=pauses.get("", ()),
        credits={row["currency"]: Decimal(row["amount"]) for row in around.credits or ()},
        tolerance=organisation.tolerance,
        contextualized_invoice_id=account.contextualized_of(
            customer, version, around.decided_plan, around.decided_invoice
        ),
        spread=spread_of(organisation, customer.id),
        held_until=customer.held_until,
    )
    actions = {row.id: row for row, _, _ in rows}
    return Loaded(organisation, customer, found, version, invoices, actions, contacts, closures)
