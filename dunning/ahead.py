"""How far ahead of today a fact may be dated.

A payment and a credit note count from the moment they are reported, whatever their day: a slip of
the pen (2052 for 2025) would close an invoice all the same, and nobody would see it. What is only
promised is a promise. An invoice that is issued later waits until then, a year ahead at most.
"""

from __future__ import annotations

from datetime import date, timedelta

CREDIT = timedelta(days=31)
INVOICE = timedelta(days=366)


def too_far(on: date, today: date, most: timedelta) -> str:
    """Why a day is refused, empty = it is not. ``today`` is the organisation's own; ``most`` is
    CREDIT or INVOICE."""
    return f"{on} {reason(today, most)}" if on > today + most else ""


def reason(today: date, most: timedelta) -> str:
    """The reason without the day itself."""
    return f"is more than {most.days} days after today, {today}"
