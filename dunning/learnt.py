"""What was learnt of a message after it left: reports of its provider, and replies to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dunning.delivery import DeliveryFact


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One report about one message.

    ``at`` is UTC. ``delivery_id`` is ours, empty where the provider does not say it; ``address``
    is one of its recipients, empty = all of them. ``reason`` is in plain words. ``key`` is the
    provider's own id of the report: for people, never to tell two reports apart.
    """

    fact: DeliveryFact
    at: datetime
    delivery_id: str = ""
    provider_id: str = ""
    address: str = ""
    reason: str = ""
    code: str = ""
    key: str = ""
    tracking_number: str = ""


class Wish(StrEnum):
    """What a short answer asks of the channel."""

    STOP = "stop"
    START = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A message that a customer wrote back.

    ``reference`` is the id of the delivery it answers, where the address or a header says it;
    ``automatic``: an absence note or another answer of a machine.
    """

    at: datetime
    sender: str
    to: str
    text: str
    subject: str = ""
    provider_id: str = ""
    reference: str = ""
    automatic: bool = False
    wish: Wish | None = None
