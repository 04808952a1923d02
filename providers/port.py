"""The contract of sending: one message out, one result back. Registration and the other parts of a
provider: ``providers.provider``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from dunning.plan import ActionType
from messages.message import Message


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message. ``provider_id`` is empty when its answer gives none."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The message will never be sent. ``recipient_invalid``: the address is wrong; ``opted_out``:
    the recipient told the provider to stop. ``asked`` is False if we refused it without a call,
    which does not show whether the account works."""

    reason: str
    code: str
    recipient_invalid: bool = False
    opted_out: bool = False
    asked: bool = True


@dataclass(frozen=True, slots=True)
class NotSent:
    """The message has certainly not left: try again, after ``retry_after`` if that is given.

    ``holds_channel``: the provider refuses the account itself, or its settings are wrong. No
    message of this account can leave until a person corrects that; ``retry_after`` is then None.
    """

    reason: str
    retry_after: timedelta | None = None
    holds_channel: bool = False


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It is unknown whether the message left. At-most-once: never send it again before a look-up or
    a person says that it did not leave."""

    reason: str


Result = Accepted | Rejected | NotSent | Ambiguous


@dataclass(frozen=True, slots=True)
class Found:
    provider_id: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """The provider answered that it does not have the message, or not yet."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """The look-up failed, or the account may not look up."""

    reason: str


LookUp = Found | NotFound | CannotTell


class Channel(Protocol):
    """One account at one provider. Used from several threads at once."""

    @property
    def name(self) -> str:
        """The provider's name, as it is stored with a delivery."""

    @property
    def type(self) -> ActionType: ...

    @property
    def account(self) -> str:
        """The mark of the account (``providers.fingerprint``), stored with each delivery. An
        idempotency key and a look-up are valid only at the account that sent the message."""

    @property
    def signers(self) -> tuple[str, ...]:
        """The marks of the keys that sign this account's callbacks; empty without callbacks."""

    @property
    def idempotent(self) -> bool:
        """Whether ``delivery_id`` is an idempotency key: another send with it by the same account
        has no effect."""

    def send(self, message: Message) -> Result:
        """One attempt, no retry, in bounded time. Never raises for network errors. A message of
        another type is Rejected without a call (``not_its_type``)."""


def not_its_type(channel: Channel, message: Message) -> Rejected | None:
    """The result for a message of another type than the channel's: a bug of this program, and no
    sign of a wrong address."""
    if message.channel is channel.type:
        return None
    reason = (
        f"a mistake of this program: {channel.name} sends {channel.type}, not {message.channel}"
    )
    return Rejected(f"{reason}; nothing was sent", "type", asked=False)


@runtime_checkable
class LooksUp(Protocol):
    """A channel that can find a message whose answer was lost."""

    def look_up(self, message: Message, since: datetime) -> LookUp:
        """Whether the provider has this message, sent after ``since`` (UTC). Never raises."""
