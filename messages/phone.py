"""Telephone numbers as people write them: a key to compare them, and the form to send an SMS."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from messages.message import BadAddress

#: In the US and some other countries mobile and fixed-line numbers share their ranges.
_MOBILE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_KINDS = {
    PhoneNumberType.FIXED_LINE: "a landline",
    PhoneNumberType.VOIP: "an internet telephone",
    PhoneNumberType.TOLL_FREE: "a free service number",
    PhoneNumberType.PREMIUM_RATE: "a paid service number",
    PhoneNumberType.SHARED_COST: "a paid service number",
    PhoneNumberType.UAN: "a company's service number",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.VOICEMAIL: "a voice mailbox",
}


#: For a book: one number is compared many times, and the same customers come again.
_CACHED = 65_536


@lru_cache(maxsize=_CACHED)
def phone_key(number: str, country: str) -> str:
    """The key by which numbers are compared and stored: E.164, as the channel writes to it, or only
    its ASCII digits if it cannot be read. ``country`` as in ``mobile``.

    Unlike ``mobile`` it accepts landlines and invalid numbers, and never raises.
    """
    try:
        return phonenumbers.format_number(_parsed(number, country), PhoneNumberFormat.E164)
    except NumberParseException:
        return _digits(number)


def same_phone(one: str, other: str) -> bool:
    """Whether two keys of ``phone_key`` are one number. A number that is not E.164 has no known
    country: it equals every number with the same last nine digits."""
    if one[:1] == other[:1] == "+":
        return one == other
    tails = {_digits(one)[-9:], _digits(other)[-9:]}
    return len(tails) == 1 and tails != {""}


def mobile(number: str, country: str) -> str:
    """The number in E.164, as +33612345678.

    ``country`` is the customer's (two letters), for a number without a country code. Without a
    known country only numbers with + are understood. Twilio accepts numbers that do not exist
    (delivery facts, 2.2), so only this check finds them. Raises BadAddress with a reason for
    people.
    """
    try:
        parsed = _parsed(number, country)
    except NumberParseException as error:
        raise BadAddress(number, _why(error, number, country)) from None
    home = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    if not phonenumbers.is_valid_number(parsed):
        place = f"in {home}" if home in phonenumbers.SUPPORTED_REGIONS else "in any country"
        raise BadAddress(number, f"{number!r} is not a valid telephone number {place}")
    kind = phonenumbers.number_type(parsed)
    if kind not in _MOBILE:
        what = _KINDS.get(kind, "no mobile number")
        raise BadAddress(number, f"{number!r} is {what}; an SMS needs a mobile number")
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def _parsed(number: str, country: str) -> PhoneNumber:
    region = _region(country)
    return phonenumbers.parse(number, region if _is_known(region) else None)


def _region(country: str) -> str:
    return country.strip().upper()


def _is_known(region: str) -> bool:
    return region in phonenumbers.SUPPORTED_REGIONS


def _digits(number: str) -> str:
    return "".join(c for c in number if c.isascii() and c.isdigit())


def _why(error: NumberParseException, number: str, country: str) -> str:
    """Why the library could not read it; the library's own texts are for programmers."""
    reason, region = error.error_type, _region(country)
    if reason == NumberParseException.INVALID_COUNTRY_CODE:
        if number.lstrip().startswith(("+", "＋")):
            return f"{number!r} begins with a country code that does not exist"
        if region and not _is_known(region):
            return f"{number!r} has no country code, and {region!r} is no country we know"
        return f"{number!r} needs a country: set the customer's, or write the number with +"
    if reason == NumberParseException.NOT_A_NUMBER:
        return f"{number!r} is not a telephone number"
    long = reason == NumberParseException.TOO_LONG
    return f"{number[:40]!r} is too {'long' if long else 'short'} for a telephone number"
