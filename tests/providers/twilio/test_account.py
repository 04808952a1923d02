"""Credentials for Twilio are checked when they are entered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from providers.twilio.send import Twilio
from tests.cast.at_twilio import (
    BASE,
    TOKEN,
    account,
)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"account_sid": "SK123"}, "begins with AC"),
        ({"account_sid": "AC1/../x"}, "begins with AC"),
        ({"auth_token": ""}, "the auth token, or an API key"),
        ({"auth_token": "two words"}, "characters that none has"),
        ({"auth_token": "x\r\ny"}, "characters that none has"),
        ({"api_key_sid": "SK1"}, "its SID and its secret"),
        ({"sender": ""}, "needs a sender"),
        ({"sender": "0612345678 "}, "needs a sender"),
        ({"sender": "A name too long"}, "needs a sender"),
        ({"host": "api.twilio.com"}, "not a web address"),
    ],
)
def test_credentials_that_cannot_work_are_refused(changes: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        account(**changes)


@pytest.mark.parametrize("sender", ["+33700000000", "38123", "Amber Sons", "MG" + "a" * 32])
def test_every_kind_of_sender_is_accepted(sender: str) -> None:
    assert account(sender=sender).sender == sender


@pytest.mark.parametrize(
    "base", ["", "dunning.example", "ftp://dunning.example", "https://my_host.example", "https://"]
)
def test_a_twilio_account_without_a_public_address_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="cannot call back"):
        Twilio(account(), base)


@pytest.mark.parametrize("validity", [timedelta(0), timedelta(hours=10, seconds=1)])
def test_a_validity_that_twilio_refuses_is_refused(validity: timedelta) -> None:
    with pytest.raises(ValueError, match="10 hours"):
        Twilio(account(), BASE, validity=validity)


def test_the_auth_token_signs_unless_webhook_tokens_are_given() -> None:
    assert account().webhook_tokens == (TOKEN,)
    assert account(webhook_tokens=("a", "b")).webhook_tokens == ("a", "b")
    key = account(auth_token="", api_key_sid="SK1", api_key_secret="s3")
    assert key.webhook_tokens == ()
