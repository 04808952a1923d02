"""A message before it is rendered: sender, recipients, templates and facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dunning.plan import ActionType
from messages.content import MessageFacts


@dataclass(frozen=True, slots=True)
class Addressee:
    """``role`` is to, cc or bcc; ``contact_id`` is None for a member or a fixed address.
    ``postal``: the parts of the contact's postal address."""

    role: str
    address: str
    name: str = ""
    contact_id: str | None = None
    postal: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """``subject``, ``body`` and ``html`` are templates; an empty ``html`` is made from ``body``.
    ``language`` is the language of these texts if it is known (``fr``, ``pt-BR``). ``flagged``
    names the contacts that are left out because they have no usable address (rule 35).
    ``open_tracking``: an email has a pixel that reports when it is opened; for organisations that
    have consent for it."""

    channel: ActionType
    facts: MessageFacts
    subject: str
    body: str
    addressees: tuple[Addressee, ...]
    flagged: tuple[str, ...] = ()
    sender_address: str = ""
    sender_name: str = ""
    registered: bool = False
    html: str = ""
    language: str = ""
    open_tracking: bool = False
