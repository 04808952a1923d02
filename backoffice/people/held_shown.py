"""What the members of an organisation see of held accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from backoffice.people.visible import hidden_send
from dunning.decision import Kind
from store import tables as t
from store.unit import Unit


@dataclass(frozen=True, slots=True)
class Shown:
    """A hold that concerns an organisation: of its own account, or of the installation's.
    ``waiting``: how many of its messages are due and wait; ``text`` describes the hold in the
    organisation's time zone."""

    row: t.HeldAccount
    waiting: int
    text: str


def of_organisation(
    unit: Unit, reader: t.Member, title: Callable[[str], str], *, ended: bool = False
) -> list[Shown]:
    """Newest first; with ``ended`` also those that are over, at most 100 in all. Times are real.
    ``title`` gives a provider's name for people. A rehearsal calls no provider, so no hold concerns
    it."""
    if unit.organisation.rehearsal_now is not None:
        return []
    own = select(t.ProviderAccount.provider).where(
        t.ProviderAccount.organisation_id == unit.organisation_id
    )
    installation = col(t.HeldAccount.organisation_id).is_(None)
    rows = unit.session.exec(
        select(t.HeldAccount)
        .where(
            sa.or_(
                col(t.HeldAccount.organisation_id) == unit.organisation_id,
                sa.and_(installation, col(t.HeldAccount.provider).not_in(own)),
            ),
            sa.true() if ended else col(t.HeldAccount.ended_at).is_(None),
        )
        .order_by(col(t.HeldAccount.since).desc(), col(t.HeldAccount.id))
        .limit(100)
    )
    return [_shown(unit, row, reader, title(row.provider)) for row in rows]


def waiting_everywhere(session: Session, channel: str, now: datetime) -> int:
    """How many messages of the channel are due at the real time ``now`` and have not left, in all
    organisations but rehearsals."""
    return session.exec(_waiting(channel, now)).one()


def held_now(session: Session) -> dict[tuple[str, str], int]:
    """How many accounts of all organisations are held, by provider and channel."""
    rows = session.exec(
        select(t.HeldAccount.provider, t.HeldAccount.channel, sa.func.count())
        .where(col(t.HeldAccount.ended_at).is_(None))
        .group_by(t.HeldAccount.provider, t.HeldAccount.channel)
    )
    return {(provider, channel): count for provider, channel, count in rows}


def _waiting(channel: str, now: datetime) -> SelectOfScalar[int]:
    due = sa.or_(
        col(t.Sequence.state) == Kind.SEND,
        sa.and_(col(t.Sequence.state) == Kind.WAIT, col(t.Sequence.wake_at) <= now),
    )
    return (
        select(sa.func.count())
        .select_from(t.Sequence)
        .join(t.Organisation, col(t.Organisation.id) == col(t.Sequence.organisation_id))
        .where(t.Sequence.then == channel, due, col(t.Organisation.rehearsal_now).is_(None))
    )


def _shown(unit: Unit, row: t.HeldAccount, reader: t.Member, title: str) -> Shown:
    zone, now = ZoneInfo(unit.organisation.timezone), unit.real
    what = "key" if "the key" in row.reason else "account"
    head = f"{title} refuses our {what}"
    if row.ended_at is not None:
        until = _time(row.ended_at, now, zone)
        text = f"{head.replace('refuses', 'refused')} from {_time(row.since, now, zone)} to {until}"
        return Shown(row, 0, text)
    known = _waiting(row.channel, now).where(  # only those that the reader may know of (rule 29)
        t.Sequence.organisation_id == unit.organisation_id, sa.not_(hidden_send(reader))
    )
    count = unit.session.exec(known).one()
    messages = "1 message waits" if count == 1 else f"{count} messages wait"
    return Shown(row, count, f"{head} since {_time(row.since, now, zone)}; {messages}")


def _time(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Only the time if it is today, else with the day."""
    local = at.astimezone(zone)
    same = local.date() == now.astimezone(zone).date()
    return f"{local:%H:%M}" if same else f"{local:%a %-d %b %H:%M}"
