"""Our requests match the providers' OpenAPI documents, and look-ups find their messages."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dunning.plan import ActionType
from messages.message import Attachment, Message, Postal, Recipient, Role
from providers.lob.account import LobAccount
from providers.lob.send import Lob
from providers.port import Accepted, Found
from providers.sendgrid.account import SendGridAccount
from providers.sendgrid.send import SendGrid
from providers.twilio.account import TwilioAccount
from providers.twilio.send import Twilio
from stand_ins.providers import StandIns
from tests.cast.at_stand_ins import (
    MESSAGING_SERVICE,
    PUBLIC,
)
from tests.cast.letters import ADA, BEN, email, sms

SINCE = datetime.now(UTC) - timedelta(hours=1)


def emails() -> Iterator[Message]:
    """Every kind of email that we send."""
    yield email()
    yield email(html=None, sender_name="", reply_to="", recipients=(ADA,))
    yield email(
        recipients=(ADA, BEN, Recipient(Role.BCC, "cfo@amber.example"), BEN),
        headers=(("List-Unsubscribe", "<mailto:stop@amber.example>"),),
        attachments=(Attachment("INV-1.pdf", "application/pdf", b"%PDF-1.7\x00\xff"),),
        open_tracking=True,
    )


@pytest.fixture
def on() -> Iterator[StandIns]:
    with StandIns() as stand_ins:
        yield stand_ins


@pytest.mark.parametrize("inbound", ["", "replies.amber.example"])
def test_sendgrid_accepts_and_finds_every_kind_of_email(on: StandIns, inbound: str) -> None:
    account = SendGridAccount(on.keys.sendgrid, on.sendgrid_url, inbound_domain=inbound)
    channel = SendGrid(account)
    for n, message in enumerate(emails()):
        assert isinstance(channel.send(message), Accepted), n
        assert isinstance(channel.look_up(message, SINCE), Found), n
    last = on.ledger.entries()[-1].body
    assert base64.b64decode(last["attachments"][0]["content"]) == b"%PDF-1.7\x00\xff"


@pytest.mark.parametrize("sender", ["+15005550006", "12345", "Amber Sons", MESSAGING_SERVICE])
def test_twilio_accepts_and_finds_an_sms_of_every_kind_of_sender(on: StandIns, sender: str) -> None:
    key = on.keys
    account = TwilioAccount(key.twilio_account, key.twilio_token, sender=sender, host=on.twilio_url)
    channel = Twilio(account, PUBLIC)
    assert isinstance(channel.send(sms()), Accepted)
    assert isinstance(channel.look_up(sms(), SINCE), Found)


TROY = Postal("1 King St", "Troy", "US", "Suite 2", "12180-1234", "NY")
HOMES = [
    TROY,
    Postal("1 rue du Roi", "Paris", "FR", postal_code="75001"),
    Postal("1 King St", "Springfield", "us", postal_code="12345", region="il"),
]


@pytest.mark.parametrize("home", HOMES, ids=lambda home: home.city)
@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("mail_type", ["usps_first_class", "usps_standard"])
def test_lob_accepts_and_finds_every_kind_of_letter(
    on: StandIns, home: Postal, registered: bool, mail_type: str
) -> None:
    account = LobAccount(
        on.keys.lob, TROY, "Amber & Sons", host=f"{on.lob_url}/v1", mail_type=mail_type
    )
    to = Recipient(Role.TO, f"Ada\n{home.line1}\n{home.city}", "Ada " + "Byron " * 9, postal=home)
    message = email(
        channel=ActionType.LETTER,
        html=None,
        recipients=(to,),
        registered=registered,
        text="Please pay.",
    )
    channel = Lob(account)
    result = channel.send(message)
    assert isinstance(result, Accepted), result
    assert channel.look_up(message, SINCE) == Found(result.provider_id)
