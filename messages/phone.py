"""Which number an SMS goes to: as a person wrote it, to E.164, or why it cannot be."""

from __future__ import annotations

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from messages.message import BadAddress

#: In the US and some other countries nobody can tell the two apart.
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

    ``country`` is the customer's (two letters): it explains a number without a country code. When
    it is empty or unknown, only numbers with + are understood. Twilio takes numbers that are none
    (delivery facts, 2.2), so this check is the only one. Raises BadAddress with a reason that is
    fit for a person.
    """
    region = country.strip().upper()
    known = region in phonenumbers.SUPPORTED_REGIONS
    try:
        parsed = phonenumbers.parse(number, region if known else None)
    except NumberParseException as error:
        raise BadAddress(number, _why(error, number, region, known=known)) from None
    home = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    if not phonenumbers.is_valid_number(parsed):
        place = f"in {home}" if home in phonenumbers.SUPPORTED_REGIONS else "in any country"
        raise BadAddress(number, f"{number!r} is not a valid telephone number {place}")
    kind = phonenumbers.number_type(parsed)
    if kind not in _MOBILE:
        what = _KINDS.get(kind, "no mobile number")
        raise BadAddress(number, f"{number!r} is {what}; an SMS needs a mobile number")
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def _why(error: NumberParseException, number: str, region: str, *, known: bool) -> str:
    """Why the library could not read it; its own texts are for programmers."""
    reason = error.error_type
    if reason == NumberParseException.INVALID_COUNTRY_CODE:
        if number.lstrip().startswith(("+", "＋")):
            return f"{number!r} begins with a country code that does not exist"
        if region and not known:
            return f"{number!r} has no country code, and {region!r} is no country we know"
        return f"{number!r} needs a country: set the customer's, or write the number with +"
    if reason == NumberParseException.NOT_A_NUMBER:
        return f"{number!r} is not a telephone number"
    long = reason == NumberParseException.TOO_LONG
    return f"{number[:40]!r} is too {'long' if long else 'short'} for a telephone number"
