"""A customer's contacts, corrected by a member (rule 35)."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from api.http.auth import Member
from api.http.bodies import BodyRoute
from api.http.fields import Body, Key, Line, MaybeEmail, MaybeLanguage, MaybePhone, Postal
from api.http.work import Work
from api.members.customers import ContactOut, contact_out
from backoffice.ledger.contacts import correct
from backoffice.ledger.find import find_customer
from store.closures import read

router = APIRouter(route_class=BodyRoute, tags=["customers"])

_MARK = Field("", description='Why it is not to be used; "" marks it valid again.')
_CLOSED = Field("", description='Why the address is not to be used; "" opens it again.')


class ContactEdit(Body):
    """What is absent stays as it is. A changed address is valid again; one that was closed stays
    closed, and the new one is. What is closed is the address, for all contacts that have it."""

    name: Line = ""
    position: Line = ""
    language: MaybeLanguage = ""
    email: MaybeEmail = ""
    email_invalid: Line = _MARK
    email_closed: Line = _CLOSED
    phone: MaybePhone = ""
    phone_invalid: Line = _MARK
    sms_closed: Line = _CLOSED
    postal: Postal = Postal()
    postal_invalid: Line = _MARK


@router.patch("/customers/{customer}/contacts/{contact}", operation_id="edit_contact")
def edit(customer: Key, contact: Key, body: ContactEdit, member: Member, unit: Work) -> ContactOut:
    """Correct a contact, mark an address valid or invalid, or close and open it. An
    automatic action that waited for it goes out the following working day (rule 35)."""
    row = find_customer(unit, customer, lock=True)
    changes = body.model_dump(include=body.model_fields_set)
    if "postal" in changes:
        changes["postal"] = {k: v for k, v in changes["postal"].items() if v}
    found = correct(unit, row, contact, changes)
    return contact_out(found, read(unit, row))
