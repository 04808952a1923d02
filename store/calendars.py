"""An organisation's calendar as the rules read it, with its public holidays."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from zoneinfo import ZoneInfo

import holidays
from holidays.registry import EntityLoader

from dunning.calendar import Calendar
from dunning.excerpt import shorten
from store.tables import Organisation

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class CalendarError(ValueError):
    """Not a known time zone, working week or holiday calendar; the text says which are."""


def parse_working_days(text: str) -> frozenset[int]:
    """Weekdays (Monday is 0) from "mon-fri", "sun-thu" or "mon,wed,fri". Raises CalendarError."""
    days: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        match = re.fullmatch(r"([a-z]{3})(?:-([a-z]{3}))?", part)
        if not match or any(d and d not in _DAYS for d in match.groups()):
            raise CalendarError(f"working days {text!r}: write 'mon-fri' or 'mon,tue,thu'")
        first = _DAYS.index(match[1])
        last = _DAYS.index(match[2] or match[1])
        days.update((first + i) % 7 for i in range((last - first) % 7 + 1))
    return frozenset(days)


@cache
def _holiday_codes() -> frozenset[str]:
    return frozenset((*EntityLoader.get_country_codes(), *EntityLoader.get_financial_codes()))


@lru_cache(maxsize=256)
def public_holidays(code: str) -> holidays.HolidayBase:
    """The calendar of "FR" or "DE-BY". Raises CalendarError."""
    country, _, subdivision = code.upper().partition("-")
    try:
        if country not in _holiday_codes():  # the library has other names, too, such as "APR"
            raise NotImplementedError
        return holidays.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError:
        raise CalendarError(
            f"holidays {shorten(code)!r}: not a known country or subdivision; write 'FR' or 'DE-BY'"
        ) from None


@cache
def _zones() -> frozenset[str]:
    """The names of the IANA time zone database. A machine's folder of zones has other names, too,
    such as ``localtime``. ``Factory`` means "not set up yet"."""
    return frozenset((files("tzdata") / "zones").read_text("ascii").split()) - {"Factory"}


def check_zone(name: str) -> None:
    """Raises CalendarError for a text that is not, letter by letter, a name of the IANA time zone
    database. A zone that is stored already is not checked."""
    if name in _zones():
        return
    meant = next((known for known in _zones() if known.lower() == name.lower()), "Europe/Paris")
    raise CalendarError(
        f"time zone {shorten(name)!r} is not a name of the IANA time zone database; write {meant!r}"
    )


class _DaysOff:
    """The public holidays and the organisation's own days off."""

    def __init__(self, code: str, own: Iterable[date]) -> None:
        self._public = public_holidays(code) if code else None
        self._own = frozenset(own)

    def __contains__(self, day: object) -> bool:
        if day in self._own:
            return True
        return self._public is not None and day in self._public


@lru_cache(maxsize=1024)
def _calendar(
    zone_name: str, sending: object, cut_off: object, working: str, code: str, own: tuple[str, ...]
) -> Calendar:
    return Calendar(
        zone=ZoneInfo(zone_name),
        sending_time=sending,  # type: ignore[arg-type]
        cut_off=cut_off,  # type: ignore[arg-type]
        working_days=parse_working_days(working),
        holidays=_DaysOff(code, (date.fromisoformat(d) for d in own)),
    )


def calendar_of(organisation: Organisation) -> Calendar:
    return _calendar(
        organisation.timezone,
        organisation.sending_time,
        organisation.cut_off,
        organisation.working_days,
        organisation.holidays,
        tuple(organisation.days_off),
    )


def spread_of(organisation: Organisation, customer_id: object) -> timedelta:
    """Rule 24: the customer's fixed offset inside the organisation's spread, whole seconds."""
    seconds = organisation.spread_minutes * 60
    if seconds <= 0:
        return timedelta(0)
    digest = sha256(str(customer_id).encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8], "big") % seconds)
