"""Which number an SMS goes to: as a person wrote it, to E.164, or why it cannot be."""

from __future__ import annotations

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from addresses.phone import is_known, parsed_number, region_of
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


def mobile(number: str, country: str) -> str:
    """The number in E.164, as +33612345678.

    ``country`` is the customer's (two letters), for a number without a country code. Without a
    known country only numbers with + are understood. Twilio accepts numbers that do not exist
    (delivery facts, 2.2), so only this check finds them. Raises BadAddress with a reason for
    people.
    """
    try:
        parsed = parsed_number(number, country)
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


def _why(error: NumberParseException, number: str, country: str) -> str:
    """Why the library could not read it; the library's own texts are for programmers."""
    reason, region = error.error_type, region_of(country)
    if reason == NumberParseException.INVALID_COUNTRY_CODE:
        if number.lstrip().startswith(("+", "＋")):
            return f"{number!r} begins with a country code that does not exist"
        if region and not is_known(region):
            return f"{number!r} has no country code, and {region!r} is no country we know"
        return f"{number!r} needs a country: set the customer's, or write the number with +"
    if reason == NumberParseException.NOT_A_NUMBER:
        return f"{number!r} is not a telephone number"
    long = reason == NumberParseException.TOO_LONG
    return f"{number[:40]!r} is too {'long' if long else 'short'} for a telephone number"
