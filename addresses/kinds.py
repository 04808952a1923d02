"""The kinds of address that a contact has, and the two that can be closed."""

from __future__ import annotations

from addresses.email import email_key, same_email
from addresses.phone import phone_key, same_phone

EMAIL, PHONE, POSTAL = "email", "phone", "postal"
KINDS = (EMAIL, PHONE, POSTAL)
#: Recipients cannot unsubscribe from letters.
CLOSABLE = (EMAIL, PHONE)


def key_of(kind: str, address: str, country: str) -> str:
    """The key by which an email address or a number is compared and stored. ``country`` is the
    customer's: two letters, or empty."""
    return email_key(address) if kind == EMAIL else phone_key(address, country)


def same(kind: str, one: str, other: str) -> bool:
    """Whether two keys are one address."""
    return same_email(one, other) if kind == EMAIL else same_phone(one, other)
