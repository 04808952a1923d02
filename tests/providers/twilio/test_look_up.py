"""The look-up at Twilio by number and text."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from providers.port import (
    CannotTell,
    Found,
    NotFound,
)
from tests.cast import stand_in as play
from tests.cast.at_twilio import (
    NOON,
    SID,
    listed,
    looked_up,
    record,
    refused,
)

# The look-up


def test_a_look_up_finds_a_queued_message() -> None:
    result, [head] = looked_up(listed(record("SM2", NOON)))
    assert result == Found("SM2")
    target = head.split()[1]
    assert target.startswith(f"/2010-04-01/Accounts/{SID}/Messages.json?")
    assert parse_qs(target.split("?")[1]) == {"To": ["+33612345678"], "PageSize": ["100"]}


def test_a_look_up_finds_a_message_that_failed_later() -> None:
    assert looked_up(listed(record("SM2", NOON, status="failed")))[0] == Found("SM2")


def test_a_look_up_finds_the_first_match_after_the_time_of_the_attempt() -> None:
    minute = timedelta(minutes=1)
    page = listed(
        record("SM4", NOON + 9 * minute),
        record("SM3", NOON + 2 * minute),
        record("SM2", NOON - minute),  # within the tolerated difference of clocks
        record("SM1", NOON - 2 * minute),
    )
    assert looked_up(page)[0] == Found("SM2")


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        ("It\u2019s due.", True),
        ("It's due. \n", True),
        ("It's due!", False),
        ("it's due.", False),
        (None, False),
    ],
)
def test_texts_match_despite_look_alikes_and_trailing_spaces(
    stored: str | None, found: bool
) -> None:
    result, _ = looked_up(listed(record("SM2", NOON, body=stored)), text="It's due. ")
    assert result == (Found("SM2") if found else NotFound())


def test_an_empty_list_is_not_found() -> None:
    assert looked_up(listed())[0] == NotFound()
    assert looked_up(listed(record("SM1", NOON - timedelta(minutes=2))))[0] == NotFound()


def test_at_most_three_pages_are_read() -> None:
    other = record("SM9", NOON + timedelta(hours=1), body="another")
    result, heads = looked_up(listed(other, more=True), listed(other, more=True), listed(other))
    assert result == NotFound()
    assert [head.split()[1] for head in heads][1:] == ["/next.json", "/next.json"]
    result, heads = looked_up(listed(other, more=True))
    assert isinstance(result, CannotTell)
    assert len(heads) == 3
    last = listed(record("SM2", NOON), more=True)
    assert looked_up(listed(other, more=True), listed(other, more=True), last)[0] == Found("SM2")


def test_reading_stops_at_messages_older_than_a_day() -> None:
    """Twilio lists the newest first."""
    old = record("SM1", NOON - timedelta(days=2))
    result, heads = looked_up(listed(old, more=True))
    assert result == NotFound()
    assert len(heads) == 1


@pytest.mark.parametrize(
    "script",
    [
        play.silence,
        play.hang_up,
        play.garbage,
        refused("401 Unauthorized", 20003),
        refused("429 Too Many Requests", 20429),
        refused("500 Internal Server Error", 20500),
        play.answer("200 OK", body="<html>"),
        play.answer("200 OK", body="[]"),
        play.answer("200 OK", body='{"messages": [1]}'),
        play.answer("200 OK", body='{"messages": [', length=99),
        listed(record("SM2", NOON, date_created="some day")),
    ],
)
def test_a_failed_look_up_cannot_tell(script: play.Script) -> None:
    assert isinstance(looked_up(script)[0], CannotTell)


def test_a_look_up_with_a_lost_page_cannot_tell() -> None:
    other = record("SM9", NOON, body="another")
    assert isinstance(looked_up(listed(other, more=True), play.hang_up)[0], CannotTell)
