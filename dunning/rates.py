"""Rates of interest and fixed sums for late payment between businesses (Directive 2011/7/EU).

Data only, each figure with its source; a rate is the reference rate plus the country's points. A
new half-year is one more line of ``_ECB`` or ``_GERMANY``.

Not supported: Ireland, where the rate of the first day of delay holds for the whole delay and the
fixed sum has steps of 40, 70 and 100 EUR (S.I. 580/2012); Finland, Luxembourg and Portugal, which
set their own rates. The Netherlands compound the interest yearly (art. 6:119a(3) BW): the simple
interest calculated here is a little less.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Rate:
    """What a country's law adds in one half-year, ``valid_until`` included, to debts in
    ``currency``. ``percent`` is a year's interest: ``reference`` + ``points``."""

    country: str
    valid_from: date
    valid_until: date
    reference: Decimal
    points: Decimal
    source: str
    currency: str = "EUR"

    @property
    def percent(self) -> Decimal:
        return self.reference + self.points


@dataclass(frozen=True, slots=True)
class FixedSum:
    """What a country's law gives for the cost of recovery, once for each invoice that is late."""

    country: str
    amount: Decimal
    currency: str
    source: str


#: The ECB's main refinancing rate in force on that day, % a year.
_ECB = {
    "2020-01-01": "0.00",
    "2020-07-01": "0.00",
    "2021-01-01": "0.00",
    "2021-07-01": "0.00",
    "2022-01-01": "0.00",
    "2022-07-01": "0.00",
    "2023-01-01": "2.50",
    "2023-07-01": "4.00",
    "2024-01-01": "4.50",
    "2024-07-01": "4.25",
    "2025-01-01": "3.15",
    "2025-07-01": "2.15",
    "2026-01-01": "2.15",
    "2026-07-01": "2.40",
}
#: Figures taken from a report of the statutory rate (10.15 % and 10.40 %), not from the bank.
_REPORTED = {"2026-01-01", "2026-07-01"}
#: Germany's own base rate (Basiszinssatz), published by the Bundesbank.
_GERMANY = {
    "2020-01-01": "-0.88",
    "2020-07-01": "-0.88",
    "2021-01-01": "-0.88",
    "2021-07-01": "-0.88",
    "2022-01-01": "-0.88",
    "2022-07-01": "-0.88",
    "2023-01-01": "1.62",
    "2023-07-01": "3.12",
    "2024-01-01": "3.62",
    "2024-07-01": "3.37",
    "2025-01-01": "2.27",
    "2025-07-01": "1.27",
    "2026-01-01": "1.27",
}
#: By country: reference rates, the points added to them, and the law.
_LAWS = {
    "DE": (_GERMANY, "9", "Basiszinssatz; § 288 Abs. 2 BGB"),
    "ES": (_ECB, "8", "ECB main refinancing rate; art. 7 Ley 3/2004"),
    "FR": (_ECB, "10", "ECB main refinancing rate; art. L441-10 code de commerce"),
    "IT": (_ECB, "8", "ECB main refinancing rate; art. 5 D.Lgs. 231/2002"),
    "NL": (_ECB, "8", "ECB main refinancing rate; art. 6:119a and 6:120(2) BW"),
}


def _half_years() -> tuple[Rate, ...]:
    found = []
    for country, (references, points, law) in _LAWS.items():
        for first, reference in references.items():
            start = date.fromisoformat(first)
            after = date(start.year, 7, 1) if start.month == 1 else date(start.year + 1, 1, 1)
            reported = references is _ECB and first in _REPORTED
            source = f"{law}; in force on {first}" + ("; secondary source" if reported else "")
            until = after - timedelta(days=1)
            found.append(Rate(country, start, until, Decimal(reference), Decimal(points), source))
    return tuple(found)


#: One for each country and half-year.
RATES = _half_years()
#: Art. 6 of the directive, and where each country has it.
FIXED_SUMS = (
    FixedSum("DE", Decimal(40), "EUR", "§ 288 Abs. 5 BGB"),
    FixedSum("ES", Decimal(40), "EUR", "art. 8 Ley 3/2004"),
    FixedSum("FR", Decimal(40), "EUR", "art. D441-5 code de commerce"),
    FixedSum("IT", Decimal(40), "EUR", "art. 6 D.Lgs. 231/2002"),
    FixedSum("NL", Decimal(40), "EUR", "art. 6:96(4) BW"),
)
COUNTRIES = tuple(_LAWS)
