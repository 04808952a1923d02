"""A channel of SendGrid at a stand-in that answers from a script."""

from __future__ import annotations

from datetime import timedelta

from messages.message import Message
from providers.port import (
    Result,
)
from providers.sendgrid.account import SendGridAccount
from providers.sendgrid.send import SendGrid
from tests.cast import stand_in as play
from tests.cast.letters import email

KEY = "SG.not-a-real-key"
TUESDAY_0830 = 1741073400  # 4 March 2025, 08:30 in Paris, as Unix seconds
SHORT = timedelta(milliseconds=300)


def account(address: str) -> SendGrid:
    return SendGrid(
        SendGridAccount(KEY, host=address),
        timeout=SHORT,
        limit=2 * SHORT,
        clock=lambda: TUESDAY_0830,
    )


def sent_to(script: play.Script, message: Message | None = None) -> tuple[Result, play.StandIn]:
    with play.stand_in(script) as provider:
        return account(provider.address).send(message or email()), provider
