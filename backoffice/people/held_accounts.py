"""Held accounts, which their provider refuses: who may call it, when the next probe is, when it
ends.

A hold begins in the transaction that settles the refused send. While it lasts sends wait without a
call, except one at a time, the *probe*. A dead probe blocks nothing: the time of the next one was
set when it began. The first answer that shows that the account works ends the hold.

All times are real ones, in UTC. An account may be the installation's, so most functions take a
session and no unit. A transaction locks a hold's row last, after its customer's; a send that would
probe skips a locked row.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from dunning.delivery import CLAIM_SECONDS
from dunning.ids import CustomerId, OrganisationId
from dunning.plan import ActionType
from store import tables as t
from store.unit import Unit

#: Pauses between probes; the last value repeats. A person has to repair the account.
PROBE_AFTER = tuple(timedelta(minutes=m) for m in (1, 2, 5, 10, 15))
#: A probe ends with its claim at the latest, even if its process died.
_PROBE_LASTS = timedelta(seconds=CLAIM_SECONDS)
#: Waiting sends come back spread over this share of the pause, after its end.
_SPREAD = 0.2
_LEAST_WAIT = timedelta(milliseconds=100)
#: An email address or a telephone number.
_QUOTED = re.compile(r"[^\s<>()\"']+@[^\s<>()\"',;]+|\+?[0-9][0-9 ().-]{6,}[0-9]")


@dataclass(frozen=True, slots=True)
class Via:
    """The account at a provider by which a message leaves; its marks as in ``t.Delivery``."""

    provider: str
    account: str
    signers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether a send may call the provider: at once, or after ``wait``. ``probe`` is the hold that
    this send probes."""

    wait: timedelta | None = None
    probe: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A send that the provider refused because of the account. ``owner``: the organisation whose
    account it is, None for the installation's. Every organisation that uses it reads ``reason``, so
    quoted addresses and numbers are removed. ``probe``: the hold that the send probed."""

    via: Via
    channel: ActionType
    owner: OrganisationId | None
    reason: str
    probe: uuid.UUID | None = None


def turn(
    session: Session,
    via: Via,
    customer_id: CustomerId,
    now: datetime,
    after: Sequence[timedelta] = PROBE_AFTER,
) -> Turn:
    """Whether the send may call now. Becoming the probe takes effect with the caller's commit."""
    row = _open(session, via)
    if row is None:
        return Turn()
    if row.next_probe_at <= now:
        probe = _take_probe(session, row.id, now)
        if probe is not None:
            return Turn(probe=probe)
        return Turn(wait=_spread(min(_PROBE_LASTS, after[0]), customer_id))
    wait = row.next_probe_at - now
    if row.last_probe_at and row.next_probe_at == row.last_probe_at + _PROBE_LASTS:  # being probed
        wait = min(wait, after[0])
    return Turn(wait=_spread(wait, customer_id))


def _take_probe(session: Session, hold: uuid.UUID, now: datetime) -> uuid.UUID | None:
    """The hold, if this send becomes its probe; None if another send did first."""
    mine = session.exec(
        select(t.HeldAccount)
        .where(
            t.HeldAccount.id == hold,
            col(t.HeldAccount.ended_at).is_(None),
            col(t.HeldAccount.next_probe_at) <= now,
        )
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if mine is None:
        return None
    mine.probes += 1
    mine.last_probe_at, mine.next_probe_at = now, now + _PROBE_LASTS
    session.flush()
    return mine.id


def refused(
    session: Session,
    refusal: Refusal,
    customer_id: CustomerId,
    now: datetime,
    after: Sequence[timedelta] = PROBE_AFTER,
) -> tuple[bool, timedelta]:
    """The provider refused the account: whether that began a hold, and how long to wait.

    Of several sends refused together one begins the hold; only a probe postpones the next probe.
    """
    reason = _QUOTED.sub("…", refusal.reason[:1000])[:500]  # the pattern takes quadratic time
    began = _begin(session, refusal, reason, now, now + after[0])
    row = _open(session, refusal.via)
    if row is None:  # it ended at this moment
        return False, _LEAST_WAIT
    if refusal.probe == row.id:
        row.reason = reason
        row.next_probe_at = now + after[min(row.probes, len(after) - 1)]
        session.flush()
    return began, _spread(row.next_probe_at - now, customer_id)


def _begin(
    session: Session, refusal: Refusal, reason: str, now: datetime, next_probe_at: datetime
) -> bool:
    """Begins a hold of the account; False if there is one already."""
    held = insert(t.HeldAccount).values(
        id=uuid.uuid4(),
        provider=refusal.via.provider,
        account=refusal.via.account,
        channel=refusal.channel.value,
        organisation_id=refusal.owner,
        since=now,
        reason=reason,
        probes=0,
        next_probe_at=next_probe_at,
        ended_by="",
    )
    once = held.on_conflict_do_nothing(
        index_elements=["provider", "account"], index_where=sa.text("ended_at IS NULL")
    )
    made = session.connection().execute(once.returning(col(t.HeldAccount.id)))
    return made.first() is not None


def returned(
    session: Session,
    probe: uuid.UUID,
    now: datetime,
    *,
    asked: bool,
    after: Sequence[timedelta] = PROBE_AFTER,
) -> None:
    """The probe showed nothing. If the provider was not ``asked``, the next may go at once."""
    row = session.get(t.HeldAccount, probe, populate_existing=True)
    if row is not None and row.ended_at is None:
        pause = after[min(row.probes, len(after) - 1)] if asked else timedelta(0)
        row.next_probe_at = now + pause
        session.flush()


def works(
    session: Session, via: Via, owner: OrganisationId | None, since: datetime, now: datetime
) -> bool:
    """An answer to a call made at ``since`` shows that the account works; whether that ended a
    hold.

    It also ends the hold of another account of this owner that this one has replaced.
    """
    same_owner = col(t.HeldAccount.organisation_id).is_not_distinct_from(owner)
    return _end(
        session,
        "a message was taken",
        now,
        t.HeldAccount.provider == via.provider,
        sa.or_(col(t.HeldAccount.account) == via.account, same_owner),
        col(t.HeldAccount.since) <= since,
    )


def account_changed(unit: Unit, provider: str) -> None:
    """An organisation has changed its own account: the refused one is gone or repaired, and the
    next send shows whether it works. A hold ends at the real time of the change."""
    _end(
        unit.session,
        "the account was changed",
        datetime.now(UTC),
        t.HeldAccount.provider == provider,
        t.HeldAccount.organisation_id == unit.organisation_id,
    )


def installation_started(session: Session, accounts: Iterable[Via], now: datetime) -> None:
    """A worker starts with these accounts of the installation. Holds of other accounts at these
    providers end; these accounts are probed at once, in case somebody repaired them."""
    for via in accounts:
        of_owner = (
            t.HeldAccount.provider == via.provider,
            col(t.HeldAccount.organisation_id).is_(None),
        )
        other = col(t.HeldAccount.account) != via.account
        _end(session, "the account was changed", now, *of_owner, other)
        row = _open(session, via)
        if row is not None and row.organisation_id is None:
            row.next_probe_at = min(row.next_probe_at, now)
    session.flush()


def _open(session: Session, via: Via) -> t.HeldAccount | None:
    return session.exec(
        select(t.HeldAccount)
        .where(
            t.HeldAccount.provider == via.provider,
            t.HeldAccount.account == via.account,
            col(t.HeldAccount.ended_at).is_(None),
        )
        .execution_options(populate_existing=True)
    ).first()


def _end(session: Session, by: str, now: datetime, *which: Any) -> bool:
    done = session.connection().execute(
        sa.update(t.HeldAccount)
        .where(col(t.HeldAccount.ended_at).is_(None), *which)
        .values(ended_at=now, ended_by=by)
    )
    return bool(done.rowcount)


def _spread(wait: timedelta, customer_id: CustomerId) -> timedelta:
    """The wait, spread by a share that is always the same for a customer."""
    return max(wait * (1 + _SPREAD * (customer_id.int % 100) / 100), _LEAST_WAIT)
