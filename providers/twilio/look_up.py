"""The look-up at Twilio: its list of messages to a number."""

from __future__ import annotations

from datetime import datetime, timedelta

from twilio.rest import Client

from messages.message import Message, Role
from messages.sms import normalise
from providers.port import CannotTell, Found, LookUp, NotFound

_PAGES, _PAGE_SIZE = 3, 100
_DAY = timedelta(days=1)
_CLOCKS_DIFFER = timedelta(minutes=1)


def find(client: Client, message: Message, since: datetime) -> LookUp:
    """The first message to the number with this text that was made after ``since`` (UTC).

    The list is not filtered by date, because Twilio filters by the date of sending, which a queued
    message does not have yet. Twilio lists the newest first. CannotTell if the first 300 messages
    are all newer than a day before ``since``. Raises what the client raises.
    """
    wanted = _comparable(message.text)
    found: list[tuple[datetime, str]] = []
    complete = False
    page = client.messages.page(to=message.addressed(Role.TO)[0].address, page_size=_PAGE_SIZE)
    for number in range(1, _PAGES + 1):
        made: datetime = since
        for record in page:
            made = record.date_created or record.date_sent
            if made >= since - _CLOCKS_DIFFER and _comparable(record.body or "") == wanted:
                found.append((made, str(record.sid)))
        if made < since - _DAY or not page.next_page_url:
            complete = True
            break
        if number < _PAGES:
            page = page.next_page()
    if found:
        return Found(min(found)[1])
    return NotFound() if complete else CannotTell("Twilio has too many messages to this number")


def _comparable(text: str) -> str:
    """The same for two texts of one SMS, which may differ in look-alikes and final spaces."""
    return normalise(text).rstrip()
