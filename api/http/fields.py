"""Types of the fields of bodies. A bad value is refused with a sentence that says what to write.

Money is a text such as "1250.00", in and out; days are YYYY-MM-DD; instants have an offset. No text
may hold a control character or half of a surrogate pair, because no message and no database can.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Path
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from books.cells import check_amount, parse_date
from dunning.currency import CURRENCIES
from dunning.ids import external_id

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_BUT_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MONEY = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,4})?")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}.*")
EMAIL = re.compile(
    r"(?!\.)(?![^@]*\.\.)(?![^@]*\.@)[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@<>()\[\]\\,;:\".]+(\.[^\s@<>()\[\]\\,;:\".]+)+"
)
_PHONE = re.compile(r"[+(0-9][0-9 ()./-]{2,}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


class Body(BaseModel):
    """A body. Unknown fields are refused: they are mistakes of the caller."""

    model_config = ConfigDict(extra="forbid")


def _line(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("has a control character or a line break")
    return value


def _named(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return _line(value)


def _lines(value: str) -> str:
    if _CONTROL_BUT_LINES.search(value):
        raise ValueError("has a control character")
    return value


def _money(value: Any) -> Decimal:
    if not isinstance(value, str) or not _MONEY.fullmatch(value):
        raise ValueError(
            "write an amount as a text such as '1250.00': at most 15 digits and 4 decimals"
        )
    return Decimal(value)


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise ValueError("is not more than 0")
    return value


def _not_negative(value: Decimal) -> Decimal:
    if value < 0:
        raise ValueError("is less than 0; report a credit note instead")
    return value


def _currency(value: Any) -> str:
    if not isinstance(value, str) or value not in CURRENCIES:
        raise ValueError("is not an ISO 4217 currency such as 'EUR'")
    return value


def _day(value: Any) -> date:
    if not isinstance(value, str):
        raise ValueError("write a date as '2025-03-31'")
    return parse_date(value)


def _instant(value: Any) -> Any:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("write an instant as '2025-03-31T08:30:00+02:00'")
    return value


def _years(value: datetime) -> datetime:
    if not 1970 <= value.year <= 2200:
        raise ValueError("is not between the years 1970 and 2200")
    return value


def _time(value: Any) -> time:
    if not isinstance(value, str) or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise ValueError("write a time of day as '08:30'")
    return time.fromisoformat(value)


def _matches(pattern: re.Pattern[str], words: str) -> AfterValidator:
    def check(value: str) -> str:
        if value and not pattern.fullmatch(value):
            raise ValueError(words)
        return value

    return AfterValidator(check)


_MONEY_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": "^-?[0-9]{1,15}(\\.[0-9]{1,4})?$", "examples": ["1250.00"]}
)
_EMAIL_FORM = _matches(EMAIL, "is not an e-mail address")

Key = Annotated[
    str, Field(min_length=1, max_length=200, examples=["C-1042"]), AfterValidator(_named)
]
# What a billing system calls it: never in the form of our ids.
ExternalId = Annotated[Key, AfterValidator(external_id)]
NewKey = Annotated[ExternalId, Path(description="Your own id for it.")]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_named)]
Line = Annotated[str, Field(max_length=200), AfterValidator(_line)]
Words = Annotated[str, Field(max_length=1000), AfterValidator(_lines)]
Text = Annotated[str, Field(max_length=50_000), AfterValidator(_lines)]

Money = Annotated[Decimal, BeforeValidator(_money), PlainSerializer(str), _MONEY_SCHEMA]
Positive = Annotated[Money, AfterValidator(_positive)]
NotNegative = Annotated[Money, AfterValidator(_not_negative)]
Currency = Annotated[
    str,
    BeforeValidator(_currency),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]}),
]
Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2025-03-31"]}),
]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant), AfterValidator(_years)]
TimeOfDay = Annotated[
    time,
    BeforeValidator(_time),
    PlainSerializer(lambda value: f"{value:%H:%M}"),
    WithJsonSchema(
        {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["08:30"]}
    ),
]
Days = Annotated[int, Field(strict=True, ge=0, le=3650)]
EmailAddress = Annotated[
    str,
    Field(min_length=3, max_length=254, examples=["ada@example.com"]),
    AfterValidator(_line),
    _EMAIL_FORM,
]
# Empty: none.
MaybeEmail = Annotated[str, Field(max_length=254), AfterValidator(_line), _EMAIL_FORM]
MaybePhone = Annotated[
    str, Field(max_length=50), AfterValidator(_line), _matches(_PHONE, "is not a telephone number")
]
MaybeLanguage = Annotated[
    str, Field(max_length=35), _matches(_LANGUAGE, "is not a language such as 'fr' or 'pt-BR'")
]
MaybeCountry = Annotated[
    str,
    Field(max_length=2),
    _matches(re.compile("[A-Z]{2}"), "is not an ISO 3166 country such as 'FR'"),
]


class Postal(Body):
    line1: Line = ""
    line2: Line = ""
    postal_code: Line = ""
    city: Line = ""
    region: Line = ""
    country: Line = ""


# What goes out.
MoneyOut = Annotated[str, _MONEY_SCHEMA]


def in_currency(amount: Decimal, currency: str) -> Decimal:
    """The amount, if the currency has that many decimals. Raises ValueError."""
    return check_amount(amount, currency)


def money(amount: Decimal, currency: str) -> str:
    """1250 of EUR is "1250.00": the currency's own decimals, more only where there are any."""
    places = CURRENCIES.get(currency, 2)
    shown = round(amount, places)
    return f"{shown if shown == amount else amount.normalize():f}"
