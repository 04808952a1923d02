"""A held account is called by one send at a time; the others wait.

What an answer shows about the account is recorded in the transaction that settles the send.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from backoffice.delivery.outgoing import Outgoing, via
from backoffice.people import held_accounts
from backoffice.people.held_accounts import Refusal, Via
from dunning.ids import CustomerId, OrganisationId
from providers.port import Accepted, Channel, NotSent, Rejected, Result
from store.load import Loaded
from store.unit import Unit

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an account. ``owner``: the organisation whose account it is, None for the
    installation's. ``began``: when, in real time. ``probe``: the hold that it probes."""

    via: Via
    owner: OrganisationId | None
    began: datetime
    probe: uuid.UUID | None = None


def turn(unit: Unit, loaded: Loaded, channel: Channel, outgoing: Outgoing) -> Call | timedelta:
    """The call that this send may make now, or how long it waits because the account is held."""
    now = outgoing.clock()
    owner = loaded.organisation.id if outgoing.is_own(channel) else None
    if loaded.organisation.rehearsal_now is not None:  # the outbox refuses nobody
        return Call(via(channel), owner, now)
    found = held_accounts.turn(
        unit.session, via(channel), loaded.customer.id, now, outgoing.probe_after
    )
    return found.wait or Call(via(channel), owner, now, found.probe)


def learn(
    unit: Unit,
    call: Call,
    channel: Channel,
    customer_id: CustomerId,
    result: Result,
    outgoing: Outgoing,
) -> timedelta | None:
    """Records what the answer shows about the account; how long to wait if it is refused."""
    session, now, after = unit.session, outgoing.clock(), outgoing.probe_after
    if isinstance(result, NotSent) and result.holds_channel:
        refusal = Refusal(call.via, channel.type, call.owner, result.reason, call.probe)
        began, wait = held_accounts.refused(session, refusal, customer_id, now, after)
        if began:
            _log.warning("%s refuses an account: it is held (table held_account)", channel.name)
        return wait
    if isinstance(result, Accepted) or (isinstance(result, Rejected) and result.asked):
        if held_accounts.works(session, call.via, call.owner, call.began, now):
            _log.info("%s is no longer held", channel.name)
    elif call.probe is not None:
        asked = not isinstance(result, Rejected)
        held_accounts.returned(session, call.probe, now, asked=asked, after=after)
    return None
