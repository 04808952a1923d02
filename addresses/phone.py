"""A key to compare telephone numbers as people write them."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

#: For a book: one number is compared many times, and the same customers come again.
_CACHED = 65_536


@lru_cache(maxsize=_CACHED)
def phone_key(number: str, country: str) -> str:
    """The key by which numbers are compared and stored: E.164, as the channel writes to it, or only
    its ASCII digits if it cannot be read. ``country`` is the customer's (two letters), for a number
    without a country code.

    It accepts landlines and invalid numbers, and never raises.
    """
    try:
        return phonenumbers.format_number(parsed_number(number, country), PhoneNumberFormat.E164)
    except NumberParseException:
        return digits(number)


def same_phone(one: str, other: str) -> bool:
    """Whether two keys of ``phone_key`` are one number. A number that is not E.164 has no known
    country: it equals every number with the same last nine digits."""
    if one[:1] == other[:1] == "+":
        return one == other
    tails = {digits(one)[-9:], digits(other)[-9:]}
    return len(tails) == 1 and tails != {""}


def parsed_number(number: str, country: str) -> PhoneNumber:
    """Raises NumberParseException. With an unknown or empty ``country`` the number must begin
    with +."""
    region = region_of(country)
    return phonenumbers.parse(number, region if is_known(region) else None)


def region_of(country: str) -> str:
    return country.strip().upper()


def is_known(region: str) -> bool:
    return region in phonenumbers.SUPPORTED_REGIONS


def digits(number: str) -> str:
    """The ASCII digits alone."""
    return "".join(c for c in number if c.isascii() and c.isdigit())
