"""Which postal addresses a letter can be posted to.

Limits and countries are from Lob's OpenAPI document (``address_editable_us``,
``address_fields_intl``, error ``address_length_exceeds_limit``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Countries in ISO 3166 to which letters are posted as to US states (USPS, "Two-letter state and
#: possession abbreviations").
US_AREAS = frozenset({"AS", "FM", "GU", "MH", "MP", "PR", "PW", "VI"})
_US_STATES = """
    AA AE AK AL AP AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT
    NC ND NE NH NJ NM NV NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY
"""
US_STATES = US_AREAS | frozenset(_US_STATES.split())
_COUNTRIES = """
    AD AE AF AG AI AL AN AO AQ AR AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BQ BR BS BT
    BW BY BZ CA CD CG CH CI CK CL CM CN CO CR CS CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG EH
    ER ES ET FI FJ FK FO FR GA GB GD GE GH GI GL GM GN GQ GR GS GT GW GY HK HN HR HT HU ID IE
    IL IN IO IQ IR IS IT JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU
    LV LY MA MC MD ME MG MK ML MM MN MO MR MS MT MU MV MW MX MY MZ NA NE NF NG NI NL NO NP NR
    NU NZ OM PA PE PG PH PK PL PN PT PY QA RO RS RU RW SA SB SC SD SE SG SH SI SK SL SM SN SO
    SR SS ST SV SX SY SZ TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE
    VG VN VU WS YE ZA ZM ZW
"""
COUNTRIES = frozenset(_COUNTRIES.split())

_ZIP = re.compile(r"[0-9]{5}(-[0-9]{4})?")
_US_LINE, _US_LINES, _LINE, _POSTCODE = 64, 50, 200, 40


def as_posted(parts: Mapping[str, str]) -> dict[str, str]:
    """The parts without spaces around them and with the country in capitals; US_AREAS become states
    of the United States."""
    posted = {name: str(parts.get(name) or "").strip() for name in PARTS}
    posted["country"] = posted["country"].upper()
    if posted["country"] in US_AREAS:
        posted["country"], posted["region"] = "US", posted["country"]
    if posted["country"] == "US":
        posted["region"] = posted["region"].upper()
    return posted


PARTS = ("line1", "line2", "postal_code", "city", "region", "country")


def why_not(parts: Mapping[str, str]) -> str:
    """Why no letter can be posted to this address, and what to write instead; empty if it can."""
    posted = as_posted(parts)
    for name, words in (("line1", "street"), ("city", "town"), ("country", "country")):
        if not posted[name]:
            return f"the postal address has no {words}"
    if posted["country"] not in COUNTRIES:
        return f"{posted['country']!r} is no country that letters go to; two letters, as FR"
    return _us(posted) if posted["country"] == "US" else _abroad(posted)


def _us(posted: Mapping[str, str]) -> str:
    if posted["region"] not in US_STATES:
        return "an address in the United States needs its state as two letters in region, as CA"
    if not _ZIP.fullmatch(posted["postal_code"]):
        return "the ZIP code in postal_code must be 12345 or 12345-6789"
    line1, line2 = posted["line1"], posted["line2"]
    if len(line1) > _US_LINE or len(line2) > _US_LINE or len(line1) + len(line2) > _US_LINES:
        return f"line1 and line2 have more than {_US_LINES} characters together"
    return ""


def _abroad(posted: Mapping[str, str]) -> str:
    if not posted["postal_code"] and not posted["region"]:
        return "the postal address has neither a postal_code nor a region"
    for name in ("line1", "line2", "city", "region"):
        if len(posted[name]) > _LINE:
            return f"{name} is longer than {_LINE} characters"
    if len(posted["postal_code"]) > _POSTCODE:
        return f"postal_code is longer than {_POSTCODE} characters"
    return ""
