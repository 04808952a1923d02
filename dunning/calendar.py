"""Days and hours of an organisation: working days, holidays, sending time (rules 20, 21, 23)."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_MIDNIGHT = time(0)
_NO_SPREAD = timedelta(0)
_GRACE = timedelta(hours=1)
_LONGEST_CLOSURE_DAYS = 3660


class NoWorkingDayError(ValueError):
    """No working day within ten years: the organisation's calendar leaves none."""


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """When an organisation works. In ``working_days`` Monday is 0.

    ``holidays`` is anything that answers ``day in holidays``. All dates are local to ``zone``.
    """

    zone: ZoneInfo
    sending_time: time = time(8, 30)
    cut_off: time = time(17, 0)
    working_days: frozenset[int] = frozenset(range(5))
    holidays: Container[date] = frozenset()

    def today(self, now: datetime) -> date:
        """The local date at the instant ``now``."""
        return now.astimezone(self.zone).date()

    def exists(self, day: date) -> bool:
        """False for a day that a zone left out when it crossed the date line (rule 23)."""
        return _exists(self.zone, day)

    def is_working(self, day: date) -> bool:
        return (
            day.weekday() in self.working_days
            and day not in self.holidays
            and _exists(self.zone, day)
        )

    def next_working(self, day: date) -> date:
        """The first working day on or after ``day``; NoWorkingDayError when there is none."""
        for _ in range(_LONGEST_CLOSURE_DAYS):
            if self.is_working(day):
                return day
            if day == date.max:
                break
            day += _DAY
        raise NoWorkingDayError(f"no working day within {_LONGEST_CLOSURE_DAYS} days")

    def previous_working(self, day: date) -> date:
        """The last working day on or before ``day``; NoWorkingDayError when there is none."""
        for _ in range(_LONGEST_CLOSURE_DAYS):
            if self.is_working(day):
                return day
            if day == date.min:
                break
            day -= _DAY
        raise NoWorkingDayError(f"no working day within {_LONGEST_CLOSURE_DAYS} days")

    def start_of(self, day: date) -> datetime:
        """The UTC instant at which that local day starts."""
        return _start(self.zone, day)

    def sending_at(self, day: date, spread: timedelta = _NO_SPREAD) -> datetime:
        """Rules 23 and 24: the sending time of a day in UTC, plus the customer's own offset."""
        return _sending(self.zone, day, self.sending_time, spread)

    def cut_off_at(self, day: date, spread: timedelta = _NO_SPREAD) -> datetime:
        """Rule 21: the UTC instant until which a delayed automatic action may still leave that day.

        At least one hour after the sending time: with an earlier cut-off nothing could leave.
        """
        return max(instant(self.zone, day, self.cut_off), self.sending_at(day, spread) + _GRACE)


@lru_cache(maxsize=8192)
def instant(zone: ZoneInfo, day: date, at: time) -> datetime:
    """Wall-clock time to UTC (rule 23). A time that the clocks skip means the next valid time; a
    time that occurs twice means its first occurrence."""
    local = datetime.combine(day, at, zone)
    utc = local.astimezone(UTC)
    if _shows(zone, utc, local):
        return utc
    # The clocks skip this time: fold 1 is before the gap, fold 0 after it. Find the gap's end.
    before, after = local.replace(fold=1).astimezone(UTC), utc
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


@lru_cache(maxsize=8192)
def _start(zone: ZoneInfo, day: date) -> datetime:
    """Where clocks go back over midnight, the day starts twice: the second start counts."""
    again = datetime.combine(day, _MIDNIGHT, zone).replace(fold=1)
    utc = again.astimezone(UTC)
    return utc if _shows(zone, utc, again) else instant(zone, day, _MIDNIGHT)


@lru_cache(maxsize=8192)
def _sending(zone: ZoneInfo, day: date, at: time, spread: timedelta) -> datetime:
    """On the day itself for every spread, because the day before or after may be a holiday."""
    utc = max(instant(zone, day, at), _start(zone, day)) + spread
    if utc.astimezone(zone).date() > day:
        return _start(zone, day + _DAY) - timedelta(minutes=1)
    return utc


@lru_cache(maxsize=8192)
def _exists(zone: ZoneInfo, day: date) -> bool:
    """False for Apia on 2011-12-30: its noon would be the start of the next day."""
    return instant(zone, day, time(12)).astimezone(zone).date() == day


def _shows(zone: ZoneInfo, utc: datetime, local: datetime) -> bool:
    """Whether the clocks of the zone show this local time at that instant: not a skipped time."""
    return utc.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
