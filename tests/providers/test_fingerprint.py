"""The fingerprint of a provider's account: unchanged by a rotation of keys if the provider gives an
account id, different for another account, and without any secret."""

from __future__ import annotations

from dunning.plan import ActionType
from messages.message import Postal
from providers.fingerprint import fingerprint
from providers.lob.account import LobAccount
from providers.outbox.send import Outbox
from providers.port import Channel
from providers.registry import account, channel
from providers.sendgrid.account import EU_HOST, SendGridAccount
from providers.sendgrid.send import SendGrid

SENDER = Postal("185 Berry St", "San Francisco", "US", "", "94107", "CA")
TWILIO = {"account_sid": "AC1", "auth_token": "token-1", "sender": "Amber"}


def twilio(**more: str) -> Channel:
    return channel("twilio", account("twilio", {**TWILIO, **more}), "https://dunning.example")


def lob(key: str = "live_key-1", **more: object) -> Channel:
    return channel("lob", LobAccount(key, SENDER, "Amber", **more), "")  # type: ignore[arg-type]


def test_a_twilio_account_stays_the_same_when_its_token_or_key_is_replaced() -> None:
    mark = twilio().account
    assert twilio(auth_token="token-2").account == mark
    assert twilio(api_key_sid="SK1", api_key_secret="secret").account == mark
    assert twilio(sender="+33700000000").account == mark
    assert twilio(account_sid="AC2").account != mark
    assert twilio(host="https://api.dublin.ie1.twilio.com").account != mark


def test_an_account_without_an_id_is_known_by_its_key() -> None:
    assert lob().account == lob(color=True, webhook_secrets=("new",)).account
    assert lob().account != lob("live_key-2").account
    one = SendGrid(SendGridAccount("SG.1")).account
    assert SendGrid(SendGridAccount("SG.1", inbound_domain="in.example")).account == one
    assert SendGrid(SendGridAccount("SG.2")).account != one
    assert SendGrid(SendGridAccount("SG.1", host=EU_HOST)).account != one


def test_the_same_key_at_another_provider_is_another_account() -> None:
    marks = {
        lob("SG.1").account,
        SendGrid(SendGridAccount("SG.1")).account,
        Outbox(ActionType.EMAIL, lambda _: None).account,
    }
    assert len(marks) == 3
    assert fingerprint("a", "b") != fingerprint("ab") != fingerprint("b", "a")


def test_fingerprints_contain_no_secret() -> None:
    for one in (twilio(), lob(webhook_secrets=("secret-1",))):
        assert len(one.signers) == 1
        for mark in (one.account, *one.signers):
            assert len(mark) == 32
            assert set(mark) <= set("0123456789abcdef")
