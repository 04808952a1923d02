"""Twilio's refusals: their effect on the message and on the account."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from providers.port import (
    NotSent,
    Rejected,
)
from providers.twilio.codes import OPTED_OUT
from tests.cast import stand_in as play
from tests.cast.at_twilio import (
    refused,
    sent_to,
)


@pytest.mark.parametrize(
    ("script", "wait"),
    [
        (refused("429 Too Many Requests", 20429, "Retry-After: 7"), timedelta(seconds=7)),
        (refused("429 Too Many Requests", 20429, "Retry-After: 0"), timedelta(seconds=1)),
        (refused("429 Too Many Requests", 20429, "Retry-After: 86400"), timedelta(hours=1)),
        (refused("429 Too Many Requests", 20429, "Retry-After: soon"), None),
        (refused("429 Too Many Requests", 20429), None),
        (refused("400 Bad Request", 21611), None),
        (refused("400 Bad Request", 20429, "retry-after: 9"), timedelta(seconds=9)),
        (play.answer("429 No", "Retry-After: 3", body="cut", length=99), timedelta(seconds=3)),
    ],
)
def test_a_rate_limit_gives_the_wait_that_twilio_asks_for(
    script: play.Script, wait: timedelta | None
) -> None:
    result, _ = sent_to(script)
    assert isinstance(result, NotSent)
    assert result.retry_after == wait


@pytest.mark.parametrize(
    "script",
    [
        refused("401 Unauthorized", 20003, text="Authenticate"),
        refused("403 Forbidden", 20003),
        play.answer("401 Unauthorized", body="<html>"),
        play.answer("401 Unauthorized", body="cut", length=99),
    ],
)
def test_a_refused_key_holds_the_channel(script: play.Script) -> None:
    result, _ = sent_to(script)
    assert isinstance(result, NotSent)
    assert result.reason.startswith("Twilio refuses the account: ")
    assert result.holds_channel


@pytest.mark.parametrize("code", [21211, 21217, 21401, 21614, 21635])
def test_a_wrong_number_is_marked_invalid(code: int) -> None:
    result, _ = sent_to(refused("400 Bad Request", code, text="'To' +33612345678 is odd"))
    assert isinstance(result, Rejected)
    assert (result.code, result.recipient_invalid) == (str(code), True)
    assert result.reason.endswith(f" (Twilio {code})")
    assert "+336" not in result.reason


def test_a_refusal_after_stop_does_not_mark_the_number_invalid() -> None:
    result, _ = sent_to(refused("400 Bad Request", 21610))
    words = "the recipient answered STOP and gets no more SMS from this sender (Twilio 21610)"
    assert result == Rejected(words, OPTED_OUT, recipient_invalid=False, opted_out=True)


def test_other_refusals_are_final_and_have_their_reason() -> None:
    result, _ = sent_to(refused("400 Bad Request", 21999, text="It is Tuesday."))
    assert result == Rejected("Twilio answered 21999: It is Tuesday.", "21999")


def test_a_refusal_in_the_newer_form_is_read() -> None:
    problem = {"type": "x", "title": "Bad number", "status": 400, "code": 21211}
    result, _ = sent_to(play.answer("400 Bad Request", body=json.dumps(problem)))
    assert result == Rejected("the number is not valid (Twilio 21211)", "21211", True)


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"code": null}', '{"code": [1]}', "\n"])
def test_a_refusal_in_an_unknown_form_is_a_refusal(body: str) -> None:
    result, _ = sent_to(play.answer("400 Bad Request", body=body))
    assert result == Rejected("Twilio answered 400: no reason given", "400")


@pytest.mark.parametrize(
    "code",
    [
        *(10001, 90010, 20003, 20005, 20006, 20403, 20404, 70051),
        *(21212, 21603, 21606, 21659, 21660, 21661, 21701, 21703, 21705),
    ],
)
@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden"])
def test_a_refusal_about_the_account_holds_the_channel(code: int, status: str) -> None:
    result, _ = sent_to(refused(status, code))
    assert isinstance(result, NotSent)
    assert result.holds_channel
    assert result.retry_after is None
    assert result.reason.endswith(f"(Twilio {code})")


@pytest.mark.parametrize("status", ["401 No", "402 No", "403 No", "404 No", "405 No", "451 No"])
def test_a_refusal_that_is_not_about_the_message_holds_the_channel(status: str) -> None:
    result, _ = sent_to(refused(status, 99999))
    assert isinstance(result, NotSent)
    assert result.holds_channel


@pytest.mark.parametrize("code", [21408, 21608, 21612])
def test_a_refusal_about_one_number_does_not_hold_the_channel(code: int) -> None:
    """Such as a country that is not allowed, or a number that a trial account may not write to."""
    result, _ = sent_to(refused("403 Forbidden", code))
    assert isinstance(result, Rejected)
    assert not result.recipient_invalid
