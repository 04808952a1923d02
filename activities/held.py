"""An account that its provider refuses is called by one send at a time; the others wait.

What an answer says of the account is kept in the transaction that settles the send.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from backoffice.people import held_accounts
from backoffice.people.held_accounts import Via
from providers.port import Accepted, Channel, NotSent, Rejected, Result

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an account: ``owner`` is the organisation whose account it is, None for the
    installation's; ``began`` when, on the real clock; ``probe`` the hold that it probes."""

    via: Via
    owner: uuid.UUID | None
    began: datetime
    probe: uuid.UUID | None = None


def via(channel: Channel) -> Via:
    return Via(channel.name, channel.account, channel.signers)


def learn(
    session: Session,
    call: Call,
    channel: Channel,
    customer_id: uuid.UUID,
    result: Result,
    now: datetime,
    after: Sequence[timedelta],
) -> timedelta | None:
    """Keep what the answer says of the account; how long to wait where it is refused. ``now`` is
    the real time."""
    if isinstance(result, NotSent) and result.holds_channel:
        began, wait = held_accounts.refused(
            session, call.via, channel.type, call.owner, customer_id, result.reason, now,
            call.probe, after,
        )  # fmt: skip
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


def again_after(reason: str, wait: timedelta | None) -> ApplicationError:
    """It has certainly not left: Temporal tries again, which costs no event of the run. ``reason``
    is in our own words, and names nobody: Temporal keeps it."""
    return ApplicationError(
        reason[:500],
        type="NotNow",
        next_retry_delay=wait,
        category=ApplicationErrorCategory.BENIGN,
    )
