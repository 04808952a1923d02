"""Customers as a billing system reports them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from api.billing.reported import CREATED, Reported, reported
from api.http.auth import Billing
from api.http.bodies import BodyRoute
from api.http.fields import (
    Body,
    Days,
    EmailAddress,
    ExternalId,
    Instant,
    Key,
    Line,
    MaybeCountry,
    MaybeEmail,
    MaybeLanguage,
    MaybePhone,
    Name,
    NewKey,
    Postal,
)
from api.http.work import Work
from backoffice.ledger.contact_matching import ContactFact
from backoffice.ledger.customers import CustomerFact, put_customer

router = APIRouter(route_class=BodyRoute, tags=["billing"])


class ContactIn(Body):
    """Without an external id a contact is found again by its email address, number, postal address
    or name, and gets the first free number (1, 2, …) as its id."""

    external_id: Key | None = None
    name: Line = ""
    position: Line = Field("", examples=["accounting"])
    language: MaybeLanguage = ""
    main: bool = Field(False, description="Without any, the first contact is the main one.")
    email: MaybeEmail = Field("", examples=["ada@example.com"])
    phone: MaybePhone = ""
    postal: Postal = Postal()


class CustomerIn(Body):
    """`contacts` and `members` that are absent stay as they are; everything else is replaced."""

    name: Name = Field(examples=["Acme Ltd"])
    parent: ExternalId | None = Field(None, description="External id of the parent customer.")
    terms_days: Days | None = Field(None, description="Due date of invoices that have none.")
    language: MaybeLanguage = Field("", examples=["fr"])
    country: MaybeCountry = Field("", examples=["FR"])
    plan: Line | None = Field(
        None, description='Name of a plan; "" is the default plan, absent leaves it.'
    )
    contacts: Annotated[list[ContactIn], Field(max_length=100)] | None = None
    members: Annotated[list[EmailAddress], Field(max_length=100)] | None = Field(
        None, description="Addresses of the assigned members, in order of assignment."
    )
    source_updated_at: Instant | None = None

    def fact(self, external_id: str) -> CustomerFact:
        contacts = None
        if self.contacts is not None:
            contacts = [
                ContactFact(
                    external_id=c.external_id,
                    name=c.name,
                    position=c.position,
                    language=c.language,
                    main=c.main,
                    email=c.email,
                    phone=c.phone,
                    postal={k: v for k, v in c.postal.model_dump().items() if v},
                )
                for c in self.contacts
            ]
        return CustomerFact(
            external_id=external_id,
            name=self.name,
            parent=self.parent,
            terms_days=self.terms_days,
            language=self.language,
            country=self.country,
            plan=self.plan,
            contacts=contacts,
            members=self.members,
            source_updated_at=self.source_updated_at,
        )


@router.put("/customers/{customer}", operation_id="put_customer", responses=CREATED)
def put(
    customer: NewKey, body: CustomerIn, who: Billing, unit: Work, response: Response
) -> Reported:
    """Create or update a customer with its contacts."""
    row, change = put_customer(unit, body.fact(customer))
    return reported(response, row, change)
