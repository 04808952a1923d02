"""Ids: ours are UUIDs; external ids, those of a billing system, are any other text.

The form of an id says whose it is, so no external id can be mistaken for one of ours. Decision
0009.
"""

from __future__ import annotations

import uuid
from typing import NewType

#: The type of an id says what it identifies, so mypy refuses a customer's id for an organisation's.
OrganisationId = NewType("OrganisationId", uuid.UUID)
MemberId = NewType("MemberId", uuid.UUID)
PlanId = NewType("PlanId", uuid.UUID)
PlanVersionId = NewType("PlanVersionId", uuid.UUID)
CustomerId = NewType("CustomerId", uuid.UUID)
ContactId = NewType("ContactId", uuid.UUID)
InvoiceId = NewType("InvoiceId", uuid.UUID)
CreditId = NewType("CreditId", uuid.UUID)
FileId = NewType("FileId", uuid.UUID)
ActionId = NewType("ActionId", uuid.UUID)
DeliveryId = NewType("DeliveryId", uuid.UUID)

#: Put before an external id that has the form of a UUID. Migration 0016 added it to older ones.
PREFIX = "external:"
#: Why such an id is refused. It does not repeat the id.
OURS = f"has the form of our ids, a UUID; put {PREFIX!r} before it"
_HEX_DIGITS = 32


def our_id(text: str) -> uuid.UUID | None:
    """The id, if the text is a UUID in any form that Python reads: with braces, as a URN, without
    hyphens, in capitals. None: it is an external id."""
    if len(text) < _HEX_DIGITS:
        return None  # fast path: most ids are short, and a book has many
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def external_id(text: str) -> str:
    """The text, if it may be an external id. Raises ValueError for one in the form of our ids."""
    if our_id(text) is not None:
        raise ValueError(OURS)
    return text
