"""SendGrid's refusals: their effect on the message and on the account."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from providers.port import (
    NotSent,
    Rejected,
)
from tests.cast import stand_in as play
from tests.cast.at_sendgrid import TUESDAY_0830, sent_to


def test_a_rate_limit_gives_the_wait_that_sendgrid_asks_for() -> None:
    reset = f"X-RateLimit-Reset: {TUESDAY_0830 + 42}"
    result, _ = sent_to(play.answer("429 Too Many Requests", reset))
    assert result == NotSent("SendGrid's rate limit is reached", timedelta(seconds=42))


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (f"X-RateLimit-Reset: {TUESDAY_0830 - 5}", timedelta(seconds=1)),
        (f"X-RateLimit-Reset: {TUESDAY_0830 + 10**6}", timedelta(hours=1)),
        ("Retry-After: 7", timedelta(seconds=7)),
        ("X-RateLimit-Reset: soon", None),
        ("X-RateLimit-Reset: 9999999999999999999999", None),
        ("X-Other: 1", None),
    ],
)
def test_a_rate_limit_with_an_odd_header_is_still_not_sent(
    header: str, wait: timedelta | None
) -> None:
    result, _ = sent_to(play.answer("429 Too Many Requests", header, body="cut", length=99))
    assert isinstance(result, NotSent)
    assert result.retry_after == wait


@pytest.mark.parametrize("code", ["400", "413", "422"])
def test_other_refusals_are_final_and_have_their_reason(code: str) -> None:
    body = '{"errors": [{"message": "The from address is not verified.", "field": "from"}]}'
    result, _ = sent_to(play.answer(f"{code} No", body=body))
    reason = f"SendGrid answered {code}: The from address is not verified. (from)"
    assert result == Rejected(reason, code, recipient_invalid=False)


def test_a_refused_key_holds_the_channel() -> None:
    body = '{"errors": [{"message": "The provided authorization grant is invalid"}]}'
    result, _ = sent_to(play.answer("401 Unauthorized", body=body))
    assert result == NotSent(
        "SendGrid refuses the key: The provided authorization grant is invalid",
        holds_channel=True,
    )


@pytest.mark.parametrize("status", ["402", "403", "404", "405", "406", "415", "451"])
def test_a_refusal_that_is_not_about_the_message_holds_the_channel(status: str) -> None:
    """SendGrid's page on responses: 403 also means "temporarily blocked from sending"."""
    body = '{"errors": [{"message": "You are temporarily blocked from sending emails"}]}'
    result, _ = sent_to(play.answer(f"{status} No", body=body))
    assert result == NotSent(
        f"SendGrid answered {status}: You are temporarily blocked from sending emails",
        holds_channel=True,
    )


@pytest.mark.parametrize("status", ["300", "301", "302", "303", "304", "305", "307", "308"])
@pytest.mark.parametrize("location", ["http://127.0.0.1:1/", "http://[::1", ""])
def test_every_redirect_holds_the_channel(status: str, location: str) -> None:
    headers = (f"Location: {location}",) if location else ()
    result, provider = sent_to(play.answer(f"{status} No", *headers))
    assert isinstance(result, NotSent)
    assert result.holds_channel
    assert result.reason == f"SendGrid's address sends us elsewhere ({status}): is its host right?"
    assert len(provider.requests) == 1


def test_an_unverified_sender_is_rejected_with_the_remedy() -> None:
    text = "The from address does not match a verified Sender Identity."
    body = json.dumps({"errors": [{"message": text, "field": "from"}]})
    result, _ = sent_to(play.answer("403 Forbidden", body=body))
    assert isinstance(result, Rejected)
    assert result.reason.startswith("the sender's domain must be authenticated at SendGrid first; ")
    assert text in result.reason
    assert not result.recipient_invalid


def test_a_wrong_recipient_is_marked_invalid() -> None:
    body = (
        '{"errors": [{"message": "Does not contain a valid address.",'
        ' "field": "personalizations.0.to.0.email"}]}'
    )
    result, _ = sent_to(play.answer("400 Bad Request", body=body))
    assert isinstance(result, Rejected)
    assert result.recipient_invalid


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("The name must be a string.", "personalizations.0.to.0.name"),
        ("The email parameter is required.", "personalizations.0.to.0.email"),
        ("Does not contain a valid address.", "from.email"),
        ("The subject is required.", "subject"),
    ],
)
def test_a_mistake_of_ours_does_not_mark_the_address_invalid(said: str, part: str) -> None:
    body = json.dumps({"errors": [{"message": said, "field": part}]})
    result, _ = sent_to(play.answer("400 Bad Request", body=body))
    assert isinstance(result, Rejected)
    assert not result.recipient_invalid


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"errors": null}', '{"errors": [1]}', "\n"])
def test_a_refusal_in_an_unknown_form_is_a_refusal(body: str) -> None:
    result, _ = sent_to(play.answer("400 Bad Request", body=body))
    assert result == Rejected("SendGrid answered 400: no reason given", "400")
