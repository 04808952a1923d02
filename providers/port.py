"""The port that every provider implements: one message out, one answer back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from dunning.plan import ActionType
from messages.message import Message


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it. ``provider_id`` may be empty: not every answer carries one."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider will not send it, ever. ``recipient_invalid``: the address is to blame;
    ``opted_out``: the recipient told the provider to stop. ``asked``: False when we refused it
    ourselves, which says nothing about whether the account works."""

    reason: str
    code: str
    recipient_invalid: bool = False
    opted_out: bool = False
    asked: bool = True


@dataclass(frozen=True, slots=True)
class NotSent:
    """It has certainly not left; try again, after ``retry_after`` when the provider says so.

    ``holds_channel``: the provider refuses this account or is misconfigured for it, whatever the
    message: nothing of this account can leave until somebody mends it. ``retry_after`` is not
    given then; the sender chooses the pause.
    """

    reason: str
    retry_after: timedelta | None = None
    holds_channel: bool = False


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Nobody knows whether it left: never send again before a look-up or a person says no."""

    reason: str


Result = Accepted | Rejected | NotSent | Ambiguous


@dataclass(frozen=True, slots=True)
class Found:
    provider_id: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """The provider answered and does not have it (yet)."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """The look-up itself failed, or this account may not look up."""

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
        """The mark of the account (``providers.fingerprint``), stored with each delivery: the same
        key is the same message, and a look-up finds it, at the same account alone."""

    @property
    def signers(self) -> tuple[str, ...]:
        """The marks of the keys that sign this account's callbacks; none where none can come."""

    @property
    def idempotent(self) -> bool:
        """Sending the same ``delivery_id`` again has no second effect, at the same account."""

    def send(self, message: Message) -> Result:
        """One attempt, no retry, in bounded time. Never raises for transport. A message of another
        type is Rejected before anything is handed over (``not_its_type``)."""


def not_its_type(channel: Channel, message: Message) -> Rejected | None:
    """A message that would enter a channel of another type: a mistake of ours, which says nothing
    about the recipient's address."""
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
        """Whether the provider has this very message, handed over after ``since`` (UTC)."""
