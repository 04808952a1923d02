"""Amber & Sons of Paris and its customers, on a real database, with a clock of their own.

Ada and Ben are its members. ``Town`` does what billing, members and the sequence do, each in a
transaction of its own; ``Provider`` stands where a provider is.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from activities.outbox_channels import outbox_channels
from activities.review import Review
from activities.sending import Sending
from backoffice.delivery.completing import skip
from backoffice.delivery.outcomes import apply
from backoffice.delivery.outgoing import Outgoing
from backoffice.delivery.replies import take
from backoffice.ledger.contacts import set_contact_validity
from backoffice.ledger.credits import CreditFact, put_credit
from backoffice.ledger.customers import CustomerFact, put_customer
from backoffice.ledger.find import find_customer
from backoffice.ledger.invoices import InvoiceFact, put_invoice
from backoffice.ledger.kinds import PAYMENT
from backoffice.ledger.reported_contacts import ContactFact
from backoffice.people.members import put_member
from backoffice.people.plans import put_plan
from dunning.delivery import DeliveryFact
from dunning.learnt import CameIn, Reply, Report
from dunning.plan import ActionType
from messages.check import check_texts
from messages.message import Message
from providers.port import Accepted, CannotTell, LookUp, Result, not_its_type
from store import closures
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from workflows.contracts import Instruction, ReviewInput, SendInput, Signal

PARIS = ZoneInfo("Europe/Paris")


def email(key: str, days: int, **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "name": f"Reminder {key}",
        "type": "email",
        "automatic": True,
        "trigger": {"from": "due", "days": days},
        "subject": "{{ invoice.number }}: {{ invoice.balance }} open",
        "body": "Please pay {{ invoice.balance }}.",
        **more,
    }


def call(key: str, days: int, **more: Any) -> dict[str, Any]:
    return email(key, days, type="call", automatic=False, name=f"Call {key}", **more)


def plan(*steps: dict[str, Any], delay: int = 5, **more: Any) -> dict[str, Any]:
    return {"name": "Standard", "contact_delay_days": delay, "steps": list(steps), **more}


PLAN = plan(email("one", 1), email("two", 8), email("three", 15))


class Provider:
    """A provider whose answers are a script, the last one for ever: a result, an exception to die
    of, or a function of the message. ``tried`` is every message it was handed, ``asked`` every one
    it was asked for; ``knows`` is a script of what it says then."""

    name = "stand-in"

    def __init__(
        self,
        *script: Result | BaseException | Callable[[Message], Result],
        idempotent: bool = False,
        kind: ActionType = ActionType.EMAIL,
        account: str = "its account",
        signers: tuple[str, ...] = (),
        knows: Sequence[LookUp] = (CannotTell("it has no search"),),
    ) -> None:
        self.account, self.signers = account, signers
        self.knows = list(knows)
        self.asked: list[Message] = []
        self.script = list(script) or [Accepted("id-1")]
        self.idempotent = idempotent
        self.type = kind
        self.tried: list[Message] = []

    def send(self, message: Message) -> Result:
        wrong = not_its_type(self, message)
        if wrong is not None:
            return wrong
        self.tried.append(message)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer(message) if callable(answer) else answer

    def look_up(self, message: Message, since: datetime) -> LookUp:
        self.asked.append(message)
        return self.knows.pop(0) if len(self.knows) > 1 else self.knows[0]


class Town:
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
        """It is now this local time."""
        self.now = datetime.fromisoformat(local).replace(tzinfo=PARIS).astimezone(UTC)

    def _in(self, session: Session | None) -> AbstractContextManager[Session]:
        """A transaction of its own, or somebody's."""
        return transaction(self.engine) if session is None else nullcontext(session)

    # What billing reports.

    def customer(self, key: str = "acme", **more: Any) -> uuid.UUID:
        contact = ContactFact(
            "eve",
            "Eve",
            email=more.pop("email", f"eve@{key}.example"),
            phone=more.pop("phone", None),
            postal=more.pop("postal", None),
        )
        values: dict[str, Any] = {
            "name": key.title(),
            "contacts": [contact],
            "members": ["ben@amber.example"],
        }
        session = more.pop("session", None)
        fact = CustomerFact(external_id=key, **(values | more))
        with self._in(session) as s:
            return put_customer(Unit(s, self.id, self.now), fact)[0].id

    def invoice(
        self, number: str, due: str | date, total: str = "100", customer: str = "acme",
        *, session: Session | None = None,
    ) -> None:  # fmt: skip
        day = due if isinstance(due, date) else date.fromisoformat(due)
        fact = InvoiceFact(
            number, customer, number, day - timedelta(days=30), Decimal(total), "EUR", day
        )
        with self._in(session) as s:
            put_invoice(Unit(s, self.id, self.now), fact)

    def pay(self, number: str, amount: str = "100", customer: str = "acme", **more: Any) -> None:
        with transaction(self.engine) as session:
            self.pays(session, number, amount, customer, **more)

    def pays(
        self, session: Session, number: str, amount: str = "100", customer: str = "acme",
        *, applied: bool = True,
    ) -> None:  # fmt: skip
        """A payment in somebody's transaction."""
        fact = CreditFact(
            PAYMENT,
            f"P/{number}/{amount}",
            customer,
            Decimal(amount),
            "EUR",
            date(2025, 1, 1),
            {number: Decimal(amount)} if applied else {},
        )
        put_credit(Unit(session, self.id, self.now, by="billing"), fact)

    def email_is(self, reason: str = "", customer: str = "acme") -> None:
        """The address is invalid for a reason, or valid again."""
        with transaction(self.engine) as session:
            row = find_customer(Unit(session, self.id), customer, lock=True)
            set_contact_validity(
                Unit(session, row.organisation_id, self.now, by="Ben"), row, "email", reason
            )

    # What the sequence asks for.

    def review(
        self, *messages: Signal, customer: str = "acme", clock: datetime | None = None
    ) -> Instruction:
        ids = (str(self.id), str(self.key_of(customer)))
        return self.reviewing.review(ReviewInput(*ids, clock or self.now, list(messages)))

    def send(
        self, channel: str = "email", customer: str = "acme", clock: datetime | None = None
    ) -> Instruction:
        """``clock`` is the sequence's; the real one is the town's."""
        ids = (str(self.id), str(self.key_of(customer)))
        order = SendInput(*ids, clock or self.now, channel)
        return getattr(self.sending, f"send_{channel}")(order)  # type: ignore[no-any-return]

    def look_up(self, channel: str = "email", customer: str = "acme") -> Instruction:
        """It is time to ask the provider."""
        late(self)
        ids = (str(self.id), str(self.key_of(customer)))
        return self.sending.look_up(SendInput(*ids, self.now, channel))

    def told(
        self, fact: DeliveryFact, address: str = "", *, before: float = 0, **more: Any
    ) -> bool:
        """The provider reports about the newest delivery what was so ``before`` seconds."""
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
        """Eve writes back."""
        came_in = CameIn(**_came_in(more))
        values: dict[str, Any] = {"at": self.now, "sender": "eve@acme.example", "to": ""}
        with transaction(self.engine) as session:
            return take(session, Reply(text=text, **(values | more)), came_in, self.now) == ""

    def closed(self, kind: str = "email", customer: str = "acme") -> dict[str, str]:
        """Why the contacts' addresses of a kind are closed, by contact."""
        with transaction(self.engine) as session:
            row = find_customer(Unit(session, self.id), customer)
            found = closures.read(Unit(session, row.organisation_id), row)
            rows = session.exec(select(t.Contact).where(t.Contact.customer_id == row.id))
            return {c.external_id: found.closed(c, kind) for c in rows}

    def lives_until(self, local: str) -> list[str]:
        """Be the sequence: sleep and act as the activities say; the local times of the sends."""
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

    # What there is then.

    def key_of(self, customer: str) -> uuid.UUID:
        with transaction(self.engine) as session:
            return find_customer(Unit(session, self.id), customer).id

    def actions(self) -> list[tuple[str | None, str]]:
        """Step and status of every action, but for what is only planned, by age."""
        return [(a.step_key, a.status) for a in self.rows(t.Action) if a.status != "planned"]

    def rows(self, table: Any) -> Sequence[Any]:
        order = next(n for n in ("seq", "id", "customer_id") if hasattr(table, n))
        with transaction(self.engine) as session:
            return session.exec(select(table).order_by(col(getattr(table, order)))).all()

    def rows_of(self, table: Any) -> Sequence[Any]:
        """In no order that means anything, but always the same."""
        with transaction(self.engine) as session:
            key = table.__table__.primary_key.columns.values()
            return session.exec(select(table).order_by(*key)).all()

    def nudges(self) -> Sequence[t.Nudge]:
        return self.rows_of(t.Nudge)

    def newest(self) -> str:
        """The delivery that was claimed last."""
        rows = self.rows_of(t.Delivery)
        return str(max(rows, key=lambda row: row.claimed_at).id)

    def forget(self, table: Any, *names: str) -> None:
        self.change(table, **dict.fromkeys(names))

    def skip_open(self, reason: str) -> None:
        """Its owner skips what is open."""
        with transaction(self.engine) as session:
            action = session.exec(
                select(t.Action).where(col(t.Action.status).in_(("to_do", "needs_review")))
            ).one()
            owner = session.get_one(t.Member, action.owner_id)
            skip(Unit(session, owner.organisation_id, self.now), owner, str(action.id), reason)

    def timeline(self, kind: str) -> list[str]:
        return [e.text for e in self.rows(t.TimelineEntry) if e.kind == kind]

    def change(self, table: Any, **fields: Any) -> None:
        """Change every row of a table behind everybody's back."""
        with transaction(self.engine) as session:
            for row in session.exec(select(table)).all():
                for name, value in fields.items():
                    setattr(row, name, value)


def _came_in(values: dict[str, Any]) -> dict[str, Any]:
    """Takes out of ``values`` what says on which account it came in."""
    names = ("provider", "organisation_id", "account", "signer", "channel")
    return {name: values.pop(name) for name in names if name in values}


def late(town: Town) -> None:
    """Time passes: whoever claimed a delivery has had all the time there is."""
    claimed = col(t.Delivery.deadline).is_not(None)
    with transaction(town.engine) as session:
        for row in session.exec(select(t.Delivery).where(claimed)).all():
            row.deadline = datetime(2000, 1, 1, tzinfo=UTC)


__all__ = ["PARIS", "PLAN", "Provider", "Town", "call", "email", "late", "plan", "time"]
