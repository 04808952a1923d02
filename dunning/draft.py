"""A message before it is put into words: who writes what about which facts to whom."""

from __future__ import annotations

from dataclasses import dataclass

from dunning.message import MessageFacts
from dunning.plan import ActionType


@dataclass(frozen=True, slots=True)
class Addressee:
    """``role`` is to, cc or bcc; ``contact_id`` is None for a member or a fixed address."""

    role: str
    address: str
    name: str = ""
    contact_id: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """``subject`` and ``body`` are templates; ``flagged`` names contacts without a usable address,
    who are left out (rule 35)."""

    channel: ActionType
    facts: MessageFacts
    subject: str
    body: str
    addressees: tuple[Addressee, ...]
    flagged: tuple[str, ...] = ()
    sender_address: str = ""
    sender_name: str = ""
    registered: bool = False
