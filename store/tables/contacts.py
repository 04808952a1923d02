"""Contacts of customers, their addresses, and closures of addresses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from dunning.ids import ContactId, CustomerId, OrganisationId
from store.tables.columns import json_column, reference, required_instant, uuid_key

#: The last six digits of a phone number, whatever its spelling: the index narrows the search by
#: them, ``addresses.phone`` then compares the whole numbers.
PHONE_END = "right(regexp_replace({}, '[^0-9]', '', 'g'), 6)"


class Contact(SQLModel, table=True):
    """A person at a customer. Where they are reached is in ``contact_address``."""

    __table_args__ = (sa.UniqueConstraint("customer_id", "external_id"),)

    id: ContactId = uuid_key()
    customer_id: CustomerId = reference("customer.id", index=False)
    external_id: str
    name: str = ""
    position: str = ""
    language: str = ""
    main: bool = False


class ContactAddress(SQLModel, table=True):
    """An address of a contact, of each ``kind`` one: email, phone or postal.

    It is valid, or ``invalid`` with the reason (rule 35). ``fixed_at``: when it was corrected, the
    last times, the latest one last. ``superseded``: what it was before a member corrected it; a
    report that repeats that does not undo the correction. Refusals to be contacted are in
    ``closure``.
    """

    __tablename__ = "contact_address"
    __table_args__ = (
        sa.CheckConstraint("kind IN ('email', 'phone', 'postal')", name="ck_contact_address_kind"),
        sa.Index(
            "ix_contact_address_email",
            sa.text("lower(address)"),
            postgresql_where=sa.text("kind = 'email'"),
        ),
        sa.Index(
            "ix_contact_address_phone_end",
            sa.text(PHONE_END.format("address")),
            postgresql_where=sa.text("kind = 'phone'"),
        ),
    )

    contact_id: ContactId = Field(
        sa_type=sa.Uuid, foreign_key="contact.id", primary_key=True, ondelete="CASCADE"
    )
    kind: str = Field(primary_key=True)
    address: str = ""  # an email address or a number; empty = none
    # Of a postal address: line1, line2, postal_code, city, region, country.
    postal: dict[str, Any] = json_column(dict)
    invalid: str = ""  # the reason; empty = valid
    superseded: Any = Field(default=None, sa_type=JSONB(none_as_null=True), nullable=True)
    fixed_at: list[datetime] = Field(
        default_factory=list, sa_type=sa.ARRAY(sa.DateTime(timezone=True))
    )

    @property
    def value(self) -> str | dict[str, Any]:
        """The address: a text, or the parts of a postal one. Empty = none."""
        return self.postal if self.kind == "postal" else self.address

    @value.setter
    def value(self, value: Any) -> None:
        if self.kind == "postal":
            self.postal = value
        else:
            self.address = value


class Closure(SQLModel, table=True):
    """The last report of each ``source`` about an address: closed, or open again.

    ``kind``: email or phone. ``address``: normalised by ``addresses.kinds.key_of``. ``at``: the
    time of the event.
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
