"""The channels by which messages leave, and the pauses between look-ups and probes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backoffice.delivery.unknown import LOOK_UP_AFTER
from backoffice.people.held_accounts import PROBE_AFTER, Via
from dunning.plan import ActionType
from providers.port import Channel
from store.unit import Unit

#: An organisation's own account for a type of message; None = it has none.
OwnChannel = Callable[[Unit, ActionType], Channel | None]


def _real() -> datetime:
    return datetime.now(UTC)


def via(channel: Channel) -> Via:
    return Via(channel.name, channel.account, channel.signers)


@dataclass(frozen=True)
class Outgoing:
    """``channels``: the installation's provider of each type, ``outbox``: that of rehearsals,
    ``own``: an organisation's own account. ``clock``: the real time (UTC). ``public_url``: our
    address in short links. ``look_up_after``: when a provider is asked after a lost answer;
    ``probe_after``: when a held account is probed."""

    channels: Mapping[ActionType, Channel]
    outbox: Mapping[ActionType, Channel]
    clock: Callable[[], datetime] = _real
    own: OwnChannel | None = None
    public_url: str = ""
    look_up_after: Sequence[timedelta] = LOOK_UP_AFTER
    probe_after: Sequence[timedelta] = PROBE_AFTER

    def channel(self, unit: Unit, kind: ActionType) -> Channel:
        """The channel that sends this type of message for the organisation."""
        if unit.organisation.rehearsal_now is not None:
            return self.outbox[kind]
        own = self.own(unit, kind) if self.own else None
        return own or self.channels[kind]

    def is_own(self, channel: Channel) -> bool:
        """Whether it is an organisation's own account."""
        return channel not in (self.channels.get(channel.type), self.outbox.get(channel.type))
