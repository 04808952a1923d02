"""What was learnt of a message after it left: reports of its provider, and replies to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dunning.delivery import DeliveryFact
from dunning.ids import OrganisationId
from dunning.plan import ActionType


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report about one message.

    ``at`` is UTC. ``delivery_id`` is ours, empty if the provider does not give it. ``address`` is
    the recipient's; empty = the report is about all recipients. ``reason`` is for people.
    """

    fact: DeliveryFact
    at: datetime
    delivery_id: str = ""
    provider_id: str = ""
    address: str = ""
    reason: str = ""
    tracking_number: str = ""


class Wish(StrEnum):
    """What an answer of one word asks of the channel."""

    STOP = "stop"
    START = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A message that a customer wrote back.

    ``at`` is UTC. ``reference`` is the id of the delivery it answers, where the address or a header
    says it; ``automatic``: an absence note or another answer of a machine.
    """

    at: datetime
    sender: str
    text: str
    subject: str = ""
    provider_id: str = ""
    reference: str = ""
    automatic: bool = False
    wish: Wish | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CameIn:
    """The provider account on which a report or a reply came in.

    Empty ``provider``: our own observation, whichever provider sent the message.
    ``organisation_id``: whose account it is; None = the installation's, which serves every
    organisation. ``account``: the mark of the account, ``signer``: the mark of the key that signed
    the callback; both are empty unless it is a provider's callback. ``channel``: the type of
    messages that the account sends.
    """

    provider: str = ""
    organisation_id: OrganisationId | None = None
    account: str = ""
    signer: str = ""
    channel: ActionType = ActionType.EMAIL
