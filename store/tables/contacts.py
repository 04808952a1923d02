"""Contacts of customers, and the closures of their addresses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from dunning.ids import ContactId, CustomerId, OrganisationId
from store.tables.columns import json_column, reference, required_instant, uuid_key

#: The last six digits of a phone number, whatever its spelling: the index narrows the search by
#: them, ``store.closures`` then compares the whole numbers.
PHONE_END = "right(regexp_replace({}, '[^0-9]', '', 'g'), 6)"


class Contact(SQLModel, table=True):
    """A person at a customer. Each address is valid, or invalid with the reason (rule 35).

    ``fixed`` and ``superseded`` are keyed by the address's field name. ``fixed``: when a member
    corrected it (``backoffice.ledger.contacts.fix``). ``superseded``: the address before the
    correction; a report that repeats it does not undo the correction. Refusals to be contacted
    are in ``closure``.
    """

    __table_args__ = (
        sa.UniqueConstraint("customer_id", "external_id"),
        sa.Index("ix_contact_email_lower", sa.text("lower(email)")),
        sa.Index("ix_contact_phone_end", sa.text(PHONE_END.format("phone"))),
    )

    id: ContactId = uuid_key()
    customer_id: CustomerId = reference("customer.id", index=False)
    external_id: str
    name: str = ""
    position: str = ""
    language: str = ""
    main: bool = False
    email: str = ""
    email_invalid: str = ""  # the reason; empty = valid
    phone: str = ""
    phone_invalid: str = ""
    postal: dict[str, Any] = json_column(dict)  # line1, line2, postal_code, city, region, country
    postal_invalid: str = ""
    superseded: dict[str, Any] = json_column(dict)
    fixed: dict[str, list[str]] = json_column(dict)


class Closure(SQLModel, table=True):
    """The last report of each ``source`` about an address: closed, or open again.

    ``kind``: email or phone. ``address``: normalised by ``store.closures.key_of``. ``at``: the time
    of the event.
    """

    __table_args__ = (
        sa.Index("ix_closure_end", "organisation_id", "kind", sa.text(PHONE_END.format("address"))),
    )

    organisation_id: OrganisationId = Field(
        foreign_key="organisation.id", primary_key=True, sa_type=sa.Uuid
    )
    kind: str = Field(primary_key=True)
    address: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    closed: bool
    cause: str
    at: datetime = required_instant()
    reason: str = ""
