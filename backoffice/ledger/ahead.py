"""How far ahead of today a fact may be dated.

A payment or a credit note counts from the moment it is reported, whatever its date. One with a
wrong year (2052 for 2025) would close an invoice unnoticed, so it is refused; a payment that is
still to come is a promise. An invoice may be issued up to a year ahead: it waits until then.
"""

from __future__ import annotations

from datetime import date, timedelta

CREDIT = timedelta(days=31)
INVOICE = timedelta(days=366)


def too_far(on: date, today: date, most: timedelta) -> str:
    """Why a day is refused; empty: it is accepted. ``today`` is the organisation's local date,
    ``most`` is CREDIT or INVOICE."""
    return f"{on} {reason(today, most)}" if on > today + most else ""


def reason(today: date, most: timedelta) -> str:
    """The reason without the day itself."""
    return f"is more than {most.days} days after today, {today}"
