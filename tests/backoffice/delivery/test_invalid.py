"""A contact's address is marked invalid (rule 37), unless it was corrected in the meantime."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from backoffice.delivery.invalid import mark_invalid, unreachable
from backoffice.ledger.find import find_customer
from messages.message import BadAddress
from stand_ins.town import Town
from store import tables as t
from store.engine import transaction
from store.unit import Unit

pytestmark = pytest.mark.services

HOME = {"line1": "1 Rue X", "postal_code": "75001", "city": "Paris", "country": "FR"}
LINES = "Eve\n1 Rue X\n75001 Paris\nFR"


@pytest.mark.parametrize(
    ("channel", "has", "sent_to", "marked"),
    [
        ("email", "Eve@Acme.example", "eve@acme.example", True),
        ("email", "eve@bücher.example", "eve@xn--bcher-kva.example", True),
        ("email", "eve@new.example", "eve@acme.example", False),
        ("sms", "06 12 34 56 78", "+33612345678", True),
        ("sms", "+33 6 12 34 56 78", "+33612345678", True),
        ("sms", "06 98 34 56 78", "+33612345678", False),  # the same last six digits
        ("sms", "no number", "no number", True),
        ("letter", HOME, LINES, True),
        ("letter", HOME, LINES.replace("Eve", "Eva"), True),
        ("letter", {**HOME, "line1": "2 Rue Y"}, LINES, False),
    ],
)
def test_only_the_address_that_was_written_to_is_marked_invalid(
    engine: Engine, channel: str, has: object, sent_to: str, marked: bool
) -> None:
    kind = {"email": "email", "sms": "phone", "letter": "postal"}[channel]
    town = Town(engine)
    town.customer(country="FR")
    town.readdress(kind, has)
    (contact,) = town.rows(t.Contact)
    with transaction(engine) as session:
        unit = Unit(session, town.id, town.now)
        customer = find_customer(unit, "acme", lock=True)
        changed = mark_invalid(unit, customer, channel, contact.id, sent_to, "gone")
        assert changed is marked
        again = mark_invalid(unit, customer, channel, contact.id, sent_to, "gone too")
        assert not again
    assert town.invalid(kind) == ["gone" if marked else ""]


def test_an_address_of_no_contact_marks_nothing(engine: Engine) -> None:
    town = Town(engine)
    town.customer()
    with transaction(engine) as session:
        unit = Unit(session, town.id, town.now)
        customer = find_customer(unit, "acme", lock=True)
        action = t.Action(
            organisation_id=town.id, customer_id=customer.id, name="x", type="email", status="to_do"
        )
        error = BadAddress("ben@nowhere", "no domain can be named so")
        assert not unreachable(unit, customer, action, error)
