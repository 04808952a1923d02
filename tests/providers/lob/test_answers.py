"""Lob's refusals: their effect on the letter and on the account."""

from __future__ import annotations

from datetime import timedelta

import pytest

from providers.port import (
    NotSent,
    Rejected,
)
from tests.cast import stand_in as play
from tests.cast.at_lob import (
    NOW,
    error,
    sent_to,
)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("Retry-After: 7", timedelta(seconds=7)),
        ("Retry-After: 0", timedelta(seconds=1)),
        (f"ratelimit-reset: {int(NOW.timestamp()) + 42}", timedelta(seconds=42)),
        (f"ratelimit-reset: {int(NOW.timestamp()) + 10**6}", timedelta(hours=1)),
        ("Retry-After: soon", None),
        ("X-Other: 1", None),
    ],
)
def test_a_rate_limit_gives_the_wait_that_lob_asks_for(header: str, wait: timedelta | None) -> None:
    result, provider = sent_to(play.answer("429 Too Many", header, body="cut", length=99))
    assert result == NotSent("Lob's rate limit is reached", wait)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("status", ["401 No", "402 No", "403 No", "404 No", "405 No", "451 No"])
def test_a_refused_key_of_lob_holds_the_account(status: str) -> None:
    result, _ = sent_to(play.answer(status, body=error("Your API key is not valid.")))
    assert isinstance(result, NotSent)
    assert result.holds_channel
    assert "Your API key is not valid." in result.reason


@pytest.mark.parametrize(
    ("words", "code", "to_blame"),
    [
        ("The to address doesn't meet strictness.", "failed_deliverability_strictness", True),
        ("to.address_zip must be in a valid zip format", "invalid", True),
        ("to is required", "invalid", True),
        ("The file is too large to print.", "file_size_exceeds_limit", False),
        ("color is required", "invalid", False),
    ],
)
def test_a_refusal_is_final_and_says_whether_the_address_is_wrong(
    words: str, code: str, to_blame: bool
) -> None:
    result, _ = sent_to(play.answer("422 Unprocessable Entity", body=error(words, code)))
    assert result == Rejected(f"Lob answered 422: {words}", code, to_blame)


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"error": 1}', '{"error": {"message": 1}}'])
@pytest.mark.parametrize("status", ["400", "413"])
def test_a_refusal_in_an_unknown_form_is_a_refusal(status: str, body: str) -> None:
    result, _ = sent_to(play.answer(f"{status} No", body=body))
    assert result == Rejected(f"Lob answered {status}: no reason given", status)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("The return address is foreign.", "foreign_return_address"),
        ("from.address_zip must be in a valid zip format", "invalid"),
        ("from is required", "invalid"),
    ],
)
def test_a_refusal_about_the_account_holds_the_channel(words: str, code: str) -> None:
    body = error(words, code)
    result, _ = sent_to(play.answer("422 Unprocessable Entity", body=body))
    assert isinstance(result, NotSent)
    assert result.holds_channel
