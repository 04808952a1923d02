"""Billing reports facts to one organisation, each in a transaction of its own."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from backoffice.ledger.contact_matching import ContactFact
from backoffice.ledger.contacts import set_contact_validity
from backoffice.ledger.credits import CreditFact, put_credit
from backoffice.ledger.customers import CustomerFact, put_customer
from backoffice.ledger.find import find_customer
from backoffice.ledger.invoices import InvoiceFact, put_invoice
from backoffice.ledger.kinds import PAYMENT
from dunning.ids import CustomerId, OrganisationId
from store.engine import transaction
from store.unit import Unit


class Billing:
    """``engine``: the database; ``id``: the organisation; ``now``: the real time (UTC)."""

    engine: Engine
    id: OrganisationId
    now: datetime

    def _in(self, session: Session | None) -> AbstractContextManager[Session]:
        """A new transaction, or the caller's."""
        return transaction(self.engine) if session is None else nullcontext(session)

    def customer(self, key: str = "acme", **more: Any) -> CustomerId:
        contact = ContactFact(
            "eve",
            "Eve",
            email=more.pop("email", f"eve@{key}.example"),
            phone=more.pop("phone", ""),
            postal=more.pop("postal", {}),
        )
        values: dict[str, Any] = {
            "name": key.title(),
            "contacts": [contact],
            "members": ["ben@amber.example"],
        }
        session = more.pop("session", None)
        fact = CustomerFact(external_id=key, **(values | more))
        with self._in(session) as s:
            return put_customer(Unit(s, self.id, self.now), fact)[0].id

    def invoice(
        self,
        number: str,
        due: str | date,
        total: str = "100",
        customer: str = "acme",
        *,
        session: Session | None = None,
    ) -> None:
        day = due if isinstance(due, date) else date.fromisoformat(due)
        fact = InvoiceFact(
            number, customer, number, day - timedelta(days=30), Decimal(total), "EUR", day
        )
        with self._in(session) as s:
            put_invoice(Unit(s, self.id, self.now), fact)

    def pay(self, number: str, amount: str = "100", customer: str = "acme", **more: Any) -> None:
        with transaction(self.engine) as session:
            self.pays(session, number, amount, customer, **more)

    def pays(
        self,
        session: Session,
        number: str,
        amount: str = "100",
        customer: str = "acme",
        *,
        applied: bool = True,
    ) -> None:
        """A payment in the caller's transaction."""
        fact = CreditFact(
            PAYMENT,
            f"P/{number}/{amount}",
            customer,
            Decimal(amount),
            "EUR",
            date(2025, 1, 1),
            {number: Decimal(amount)} if applied else {},
        )
        put_credit(Unit(session, self.id, self.now, by="billing"), fact)

    def email_is(self, reason: str = "", customer: str = "acme") -> None:
        """Mark the email address invalid for this reason; an empty reason makes it valid again."""
        with transaction(self.engine) as session:
            row = find_customer(Unit(session, self.id), customer, lock=True)
            set_contact_validity(
                Unit(session, row.organisation_id, self.now, by="Ben"), row, "email", reason
            )
