"""Credentials for SendGrid are checked when they are entered."""

from __future__ import annotations

import pytest

from providers.sendgrid.account import SendGridAccount
from tests.cast.at_sendgrid import KEY


@pytest.mark.parametrize("key", ["", "SG.\r\nX: y", "two words", "clé"])
def test_an_impossible_api_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError):
        SendGridAccount(key)


def test_a_bad_host_or_inbound_domain_is_refused() -> None:
    for wrong in ({"host": "api.sendgrid.com"}, {"inbound_domain": "a@b.example"}):
        with pytest.raises(ValueError):
            SendGridAccount(KEY, **wrong)  # type: ignore[arg-type]
