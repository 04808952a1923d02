"""Accounts that their provider refuses: who may call it, when the next probe is, when it is over.

A hold begins in the transaction that settles the refused send. While it lasts a send waits without
calling, except one at a time, the *probe*. A probe that dies frees its place by itself: the next
one's time was set when it began. The first answer that shows that the account works ends the hold.

All times are real ones, in UTC. An account may be the installation's, so most functions take a
session and no unit. The row of a hold is the last lock that a transaction takes, after that of its
customer; a send that would probe skips a locked row.
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

#: From each refusal to the next probe; the last value repeats. A person has to repair the account.
PROBE_AFTER = tuple(timedelta(minutes=m) for m in (1, 2, 5, 10, 15))
#: A probe whose process died is over when its claim is.
_PROBE_LASTS = timedelta(seconds=CLAIM_SECONDS)
#: Those who wait come back one after the other, within this share of the pause after its end.
_SPREAD = 0.2
_LEAST_WAIT = timedelta(milliseconds=100)
#: An address or a telephone number.
_QUOTED = re.compile(r"[^\s<>()\"']+@[^\s<>()\"',;]+|\+?[0-9][0-9 ().-]{6,}[0-9]")


@dataclass(frozen=True, slots=True)
class Via:
    """By which account at which provider a message leaves; its marks as in ``t.Delivery``."""

    provider: str
    account: str
    signers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether a send may call the provider now: not before ``wait``, if there is one. ``probe`` is
    the hold that this send is the probe of."""

    wait: timedelta | None = None
    probe: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A send that the provider refused because of the account. ``owner``: the organisation whose
    account it is, None for the installation's; every organisation that uses it reads ``reason``, so
    addresses and numbers that the provider quotes are left out. ``probe``: the hold that the send
    was the probe of."""

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
    """Whose turn it is. A probe's is taken when the caller's transaction commits."""
    row = _open(session, via)
    if row is None:
        return Turn()
    if row.next_probe_at <= now:
        probe = _take_probe(session, row.id, now)
        if probe is not None:
            return Turn(probe=probe)
        return Turn(wait=_spread(min(_PROBE_LASTS, after[0]), customer_id))
    wait = row.next_probe_at - now
    if row.last_probe_at and row.next_probe_at == row.last_probe_at + _PROBE_LASTS:  # on its way
        wait = min(wait, after[0])
    return Turn(wait=_spread(wait, customer_id))


def _take_probe(session: Session, hold: uuid.UUID, now: datetime) -> uuid.UUID | None:
    """The hold, whose probe this send is now; None where another send took it first."""
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
    """The provider refused the account: whether a hold began with that, and how long to wait.

    Of several sends that are refused together one begins the hold; only a probe puts the next probe
    off.
    """
    reason = _QUOTED.sub("…", refusal.reason[:1000])[:500]  # its time grows with the square
    began = _begin(session, refusal, reason, now, now + after[0])
    row = _open(session, refusal.via)
    if row is None:  # ended this moment
        return False, _LEAST_WAIT
    if refusal.probe == row.id:
        row.reason = reason
        row.next_probe_at = now + after[min(row.probes, len(after) - 1)]
        session.flush()
    return began, _spread(row.next_probe_at - now, customer_id)


def _begin(
    session: Session, refusal: Refusal, reason: str, now: datetime, next_probe_at: datetime
) -> bool:
    """A hold of the account begins; False where one has begun before."""
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
    """A probe that showed nothing. Where the provider was not even ``asked``, another may go."""
    row = session.get(t.HeldAccount, probe, populate_existing=True)
    if row is not None and row.ended_at is None:
        pause = after[min(row.probes, len(after) - 1)] if asked else timedelta(0)
        row.next_probe_at = now + pause
        session.flush()


def works(
    session: Session, via: Via, owner: OrganisationId | None, since: datetime, now: datetime
) -> bool:
    """An answer to a call of ``since`` shows that the account works; whether that ended a hold.

    It ends that of another account too, which this one has replaced with the same owner.
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
    """An organisation has given, replaced or removed its own account: what was refused is gone, or
    mended, and the next send shows whether it is. A hold ends at the real time of the change."""
    _end(
        unit.session,
        "the account was changed",
        datetime.now(UTC),
        t.HeldAccount.provider == provider,
        t.HeldAccount.organisation_id == unit.organisation_id,
    )


def installation_started(session: Session, accounts: Iterable[Via], now: datetime) -> None:
    """A worker starts with these accounts of the installation. What was held at these providers
    with another account is over; with the same one it is probed at once, because somebody may have
    mended it."""
    for via in accounts:
        theirs = (
            t.HeldAccount.provider == via.provider,
            col(t.HeldAccount.organisation_id).is_(None),
        )
        other = col(t.HeldAccount.account) != via.account
        _end(session, "the account was changed", now, *theirs, other)
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
    """The same for a customer each time."""
    return max(wait * (1 + _SPREAD * (customer_id.int % 100) / 100), _LEAST_WAIT)
