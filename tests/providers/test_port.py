"""The contract of every channel."""

from __future__ import annotations

from dunning.plan import CHANNELS, ActionType
from messages.message import Message, Postal, Recipient, Role
from providers.lob.account import LobAccount
from providers.lob.send import Lob
from providers.outbox.send import Outbox
from providers.port import Channel, Rejected
from providers.sendgrid.account import SendGridAccount
from providers.sendgrid.send import SendGrid
from providers.twilio.account import TwilioAccount
from providers.twilio.send import Twilio
from tests.cast.letters import email, sms
from tests.cast.stand_in import answer, stand_in

PARTS = Postal("185 Berry St", "San Francisco", "US", "", "94107", "CA")


def test_a_message_of_another_type_is_rejected_by_every_channel() -> None:
    """This is our mistake: no call is made, and no address is marked invalid."""
    letter = (Recipient(Role.TO, "185 Berry St", "Ada", None, PARTS),)
    messages = {
        ActionType.EMAIL: email(),
        ActionType.SMS: sms(),
        ActionType.LETTER: email(channel=ActionType.LETTER, recipients=letter, html=None),
    }
    stored: list[Message] = []
    with stand_in(answer("202 Accepted")) as provider:
        at = provider.address
        channels: list[Channel] = [
            SendGrid(SendGridAccount("SG.1", at)),
            Twilio(TwilioAccount("AC1", "token", sender="Amber", host=at), "https://us.example"),
            Lob(LobAccount("live_1", PARTS, "Amber", host=at)),
            *(Outbox(kind, stored.append) for kind in CHANNELS),
        ]
        for channel in channels:
            for kind, message in messages.items():
                if kind is not channel.type:
                    result = channel.send(message)
                    assert isinstance(result, Rejected), (channel.name, kind)
                    assert (result.code, result.recipient_invalid) == ("type", False)
                    assert f"sends {channel.type}, not {kind}" in result.reason
        assert provider.requests == []
    assert stored == []
