"""The organisation Amber & Sons of Paris and its customers, on a real database, with their own
clock.

Ada and Ben are its members. ``Town`` does what billing, members and the sequence do, each in a
transaction of its own, with ``Provider`` in place of a real provider.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import col, select

from activities.outbox_channels import outbox_channels
from activities.review import Review
from activities.sending import Sending
from backoffice.delivery.completing import skip
from backoffice.delivery.outcomes import apply
from backoffice.delivery.outgoing import Outgoing
from backoffice.delivery.replies import take
from backoffice.ledger.find import find_customer
from backoffice.people.members import put_member
from backoffice.people.plans import put_plan
from dunning.delivery import DeliveryFact
from dunning.learnt import CameIn, Reply, Report
from messages.check import check_texts
from stand_ins.billing import Billing
from stand_ins.scripted import Provider
from stand_ins.steps import PLAN, call, email, plan
from stand_ins.watching import Watching
from store import closures
from store import tables as t
from store.contacts import persons_of
from store.engine import transaction
from store.unit import Unit
from workflows.contracts import Instruction, ReviewInput, SendInput, Signal

PARIS = ZoneInfo("Europe/Paris")


class Town(Billing, Watching):
    def __init__(
        self,
        engine: Engine,
        provider: Provider | None = None,
        steps: dict[str, Any] | None = None,
        **organisation: Any,
    ) -> None:
        self.engine = engine
        self.provider = provider or Provider()
        self.now = datetime.now(UTC)
        outbox = outbox_channels(engine, None)
        channels = {**outbox, self.provider.type: self.provider}
        self.sending = Sending(engine, Outgoing(channels, outbox, lambda: self.now))
        self.reviewing = Review(engine, lambda: self.now)
        with transaction(engine) as session:
            row = t.Organisation(name="Amber & Sons", **organisation)
            session.add(row)
            session.flush()
            self.id = row.id
            put_member(Unit(session, self.id), "ada@amber.example", "Ada", "admin")
            put_member(Unit(session, self.id), "ben@amber.example", "Ben")
            put_plan(Unit(session, self.id), steps or PLAN, check_texts)

    def at(self, local: str) -> None:
        """Set the clock to this local time (Paris)."""
        self.now = datetime.fromisoformat(local).replace(tzinfo=PARIS).astimezone(UTC)

    # Activities of the sequence.

    def review(
        self, *messages: Signal, customer: str = "acme", clock: datetime | None = None
    ) -> Instruction:
        ids = (str(self.id), str(self.key_of(customer)))
        return self.reviewing.review(ReviewInput(*ids, clock or self.now, list(messages)))

    def send(
        self, channel: str = "email", customer: str = "acme", clock: datetime | None = None
    ) -> Instruction:
        """``clock``: the time of the workflow; the real time is that of the town."""
        ids = (str(self.id), str(self.key_of(customer)))
        order = SendInput(*ids, clock or self.now, channel)
        return getattr(self.sending, f"send_{channel}")(order)  # type: ignore[no-any-return]

    def look_up(self, channel: str = "email", customer: str = "acme") -> Instruction:
        """Look up the message whose outcome is unknown."""
        late(self)
        ids = (str(self.id), str(self.key_of(customer)))
        return self.sending.look_up(SendInput(*ids, self.now, channel))

    def told(
        self, fact: DeliveryFact, address: str = "", *, before: float = 0, **more: Any
    ) -> bool:
        """The provider reports a fact about the newest delivery, ``before`` seconds old."""
        with transaction(self.engine) as session:
            newest = session.exec(
                select(t.Delivery).order_by(col(t.Delivery.claimed_at).desc())
            ).first()
            at = self.now - timedelta(seconds=before)
            of = {"provider": newest.provider if newest else "stand-in", **_came_in(more)}
            values: dict[str, Any] = {"delivery_id": str(newest.id) if newest else ""}
            report = Report(fact=fact, at=at, address=address, **(values | more))
            return apply(session, report, CameIn(**of), self.now)

    def answered(self, text: str = "I shall pay", **more: Any) -> bool:
        """Eve replies to a message."""
        came_in = CameIn(**_came_in(more))
        values: dict[str, Any] = {"at": self.now, "sender": "eve@acme.example"}
        with transaction(self.engine) as session:
            return take(session, Reply(text=text, **(values | more)), came_in, self.now) == ""

    def closed(self, kind: str = "email", customer: str = "acme") -> dict[str, str]:
        """Why the contacts' addresses of a kind are closed, by contact."""
        with transaction(self.engine) as session:
            row = find_customer(Unit(session, self.id), customer)
            found = closures.read(Unit(session, row.organisation_id), row)
            persons = persons_of(Unit(session, row.organisation_id), row.id)
            return {one.row.external_id: found.closed(kind, one.value(kind)) for one in persons}

    def readdress(self, kind: str, value: Any) -> None:
        """Change the address of every contact behind everybody's back."""
        with transaction(self.engine) as session:
            for contact in session.exec(select(t.Contact)).all():
                row = session.get(t.ContactAddress, (contact.id, kind))
                row = row or t.ContactAddress(contact_id=contact.id, kind=kind)
                row.value = value
                session.add(row)

    def invalid(self, kind: str = "email", customer: str = "acme") -> list[str]:
        """Why the contacts' addresses of a kind are invalid; "" = valid, or there is none."""
        with transaction(self.engine) as session:
            unit = Unit(session, self.id)
            persons = persons_of(unit, find_customer(unit, customer).id)
            return [one.invalid(kind) for one in persons]

    def lives_until(self, local: str) -> list[str]:
        """Act as the sequence until then; returns the local times at which messages were sent."""
        sent, end = [], datetime.fromisoformat(local).replace(tzinfo=PARIS)
        coming = self.review()
        while coming.state == "send" or (coming.until is not None and coming.until <= end):
            self.now = max(self.now, coming.until or self.now)
            before = len(self.provider.tried)
            if coming.look_up:
                coming = self.look_up(coming.then or "")
            else:
                coming = self.send(coming.then) if coming.then else self.review()
            if len(self.provider.tried) > before:
                sent.append(f"{self.now.astimezone(PARIS):%a %Y-%m-%d %H:%M}")
        self.now = end.astimezone(UTC)
        return sent

    def skip_open(self, reason: str) -> None:
        """The owner of the open action skips it."""
        with transaction(self.engine) as session:
            action = session.exec(
                select(t.Action).where(col(t.Action.status).in_(("to_do", "needs_review")))
            ).one()
            owner = session.get_one(t.Member, action.owner_id)
            skip(Unit(session, owner.organisation_id, self.now), owner, str(action.id), reason)


def _came_in(values: dict[str, Any]) -> dict[str, Any]:
    """Removes from ``values`` the fields of the account on which it came in, and returns them."""
    names = ("provider", "organisation_id", "account", "signer", "channel")
    return {name: values.pop(name) for name in names if name in values}


def late(town: Town) -> None:
    """Set the deadline of every claim to the past."""
    claimed = col(t.Delivery.deadline).is_not(None)
    with transaction(town.engine) as session:
        for row in session.exec(select(t.Delivery).where(claimed)).all():
            row.deadline = datetime(2000, 1, 1, tzinfo=UTC)


__all__ = ["PARIS", "PLAN", "Provider", "Town", "call", "email", "late", "plan", "time"]
