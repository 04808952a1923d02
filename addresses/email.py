"""A key to compare email addresses."""

from __future__ import annotations

from dunning.spellings import lower_case, spellings


def email_key(address: str) -> str:
    """The key by which addresses are compared and stored: lower case as PostgreSQL's ``lower()``
    has it. Never raises."""
    return lower_case(address.strip())


def same_email(one: str, other: str) -> bool:
    """Whether two keys of ``email_key`` are one address: an international domain may be in its own
    letters or in ASCII."""
    return one == other or not spellings(one).isdisjoint(spellings(other))
