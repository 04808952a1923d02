"""``send_email``, ``send_sms``, ``send_letter``: the guarded path of every message that leaves.

Lock the customer, decide again at this instant (rule 36), claim and commit, call the provider once,
record, decide what is next. An outcome that nobody knows is never tried again by itself.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.deciding import Clock, engine_time, nobody, real_clock, settle
from channels.compose import compose
from channels.port import (
    Accepted,
    Ambiguous,
    BadMessage,
    Channel,
    Message,
    NotSent,
    Recipient,
    Rejected,
    Result,
    Role,
)
from channels.template import TemplateError
from db import deliveries as d
from db import tables as t
from db.accounts import Loaded, clock, load, lock_customer
from db.decisions import new_action, record, step_in
from db.drafts import delivery_id, draft
from db.engine import transaction
from dunning.decide import channel_of, decide
from dunning.model import Decision
from dunning.plan import ActionType
from workflows.contracts import SEND, Next, SendInput

#: With a provider's ten seconds well inside a claim's (``db.deliveries``) and the activity's own.
_KEEP_SECONDS = 10


@dataclass(frozen=True)
class _Claimed:
    claim: d.Claim
    channel: Channel
    message: Message


class Sending:
    """``channels``: the configured provider of each type; ``outbox`` is the one of rehearsals."""

    def __init__(
        self,
        engine: Engine,
        channels: Mapping[ActionType, Channel],
        outbox: Mapping[ActionType, Channel],
        real: Clock = real_clock,
    ) -> None:
        self._engine = engine
        self._channels = channels
        self._outbox = outbox
        self._clock = real

    @activity.defn(name=SEND["email"])
    def send_email(self, order: SendInput) -> Next:
        return self._send(order)

    @activity.defn(name=SEND["sms"])
    def send_sms(self, order: SendInput) -> Next:
        return self._send(order)

    @activity.defn(name=SEND["letter"])
    def send_letter(self, order: SendInput) -> Next:
        return self._send(order)

    def _send(self, order: SendInput) -> Next:
        """One message at most. Retried by Temporal only while it has certainly not left."""
        customer_id = uuid.UUID(order.customer_id)
        now = engine_time(order.now, self._clock)
        with transaction(self._engine) as session:
            try:
                claimed = self._claim(session, customer_id, order, now)
            except KeyError:
                return nobody(order.customer_id)
        if isinstance(claimed, Next):
            return claimed
        result = claimed.channel.send(claimed.message)
        keep_until = time.monotonic() + _KEEP_SECONDS
        while True:
            try:
                return self._settle(customer_id, claimed, result, order, now)
            except OperationalError:
                # Only we know the outcome: a database that is away for a moment must not lose it.
                if time.monotonic() > keep_until:
                    raise
                time.sleep(0.2)

    def _settle(
        self,
        customer_id: uuid.UUID,
        claimed: _Claimed,
        result: Result,
        order: SendInput,
        now: datetime,
    ) -> Next:
        with transaction(self._engine) as session:
            customer = lock_customer(session, customer_id)
            at = clock(session.get_one(t.Organisation, customer.organisation_id), now)
            retry = _record(session, customer, claimed, result, at)
            if retry is None:
                return settle(session, customer_id, at, now, order.handled)
        raise retry

    def _claim(
        self, session: Session, customer_id: uuid.UUID, order: SendInput, now: datetime
    ) -> _Claimed | Next:
        loaded = load(session, customer_id)
        at = clock(loaded.organisation, now)
        in_flight = _in_flight(session, loaded)
        if in_flight is not None:
            return self._take_over(session, loaded, in_flight, order, at, now)
        decision = decide(loaded.account, at)
        if channel_of(decision) is not ActionType(order.channel):
            return settle(session, customer_id, at, now, order.handled)
        record(session, loaded, decision, at)
        action = _action(session, loaded, decision, at)
        channel = self._channel(loaded, decision.then)
        by = session.get(t.Member, action.requested_by) if action.requested_by else None
        key = delivery_id(action)
        try:
            message = compose(
                draft(session, loaded, action, at, by), str(key), str(loaded.organisation.id)
            )
        except (BadMessage, TemplateError) as e:
            if action.requested_at is not None:
                d.hand_back(session, loaded.customer, action, str(e), at)
            else:
                claim = d.claim(session, loaded, action, channel.name, {}, "", at)
                d.rejected(session, loaded.customer, claim, str(e), at, recipient_invalid=False)
            return settle(session, customer_id, at, now, order.handled)
        frozen, content = freeze(message), message.content_hash()
        claim = d.claim(session, loaded, action, channel.name, frozen, content, at)
        return _Claimed(claim, channel, message)

    def _take_over(
        self,
        session: Session,
        loaded: Loaded,
        row: t.Delivery,
        order: SendInput,
        at: datetime,
        now: datetime,
    ) -> _Claimed | Next:
        """A former attempt claimed and never settled: it died, or is still at it."""
        claim = d.reclaim(session, row)
        if claim is None:
            left = (row.deadline or now) - datetime.now(UTC)
            raise ApplicationError(
                "another attempt is still calling the provider",
                next_retry_delay=max(left, timedelta(0)) + timedelta(seconds=1),
                category=ApplicationErrorCategory.BENIGN,
            )
        channel = self._channel(loaded, ActionType(row.channel))
        if channel.idempotent and channel.name == row.provider:
            return _Claimed(claim, channel, thaw(row))
        reason = f"the program ended while {row.provider} was being called"
        d.unknown(session, loaded.customer, row, reason, at)
        session.flush()
        return settle(session, loaded.customer.id, at, now, order.handled)

    def _channel(self, loaded: Loaded, kind: ActionType | None) -> Channel:
        assert kind is not None, "a send decision names its channel"
        rehearsal = loaded.organisation.rehearsal_now is not None
        return (self._outbox if rehearsal else self._channels)[kind]


def _in_flight(session: Session, loaded: Loaded) -> t.Delivery | None:
    if all(action.status != "sending" for action in loaded.actions.values()):
        return None
    return session.exec(
        select(t.Delivery).where(
            t.Delivery.customer_id == loaded.customer.id, t.Delivery.status == "sending"
        )
    ).first()


def _action(session: Session, loaded: Loaded, decision: Decision, at: datetime) -> t.Action:
    """The action that leaves: its owner's, the planned one, or one made this moment."""
    if decision.action_id is not None:
        return loaded.actions[uuid.UUID(decision.action_id)]
    for row in loaded.actions.values():
        if row.status == "planned" and str(row.invoice_id) == decision.invoice_id:
            return row
    step = step_in(loaded, decision.step_key)
    assert step is not None, "a send decision names a step of the plan"
    return new_action(session, loaded, decision, step, "planned", at)


def _record(
    session: Session, customer: t.Customer, claimed: _Claimed, result: Result, at: datetime
) -> ApplicationError | None:
    """Record an outcome; an error to raise when the send is to be tried again."""
    claim = claimed.claim
    if isinstance(result, Accepted):
        d.accepted(session, customer, claim, result.provider_id, at)
    elif isinstance(result, Rejected):
        invalid = result.recipient_invalid
        d.rejected(session, customer, claim, result.reason, at, recipient_invalid=invalid)
    elif isinstance(result, NotSent):
        d.not_sent(session, claim, result.reason)
        return ApplicationError(
            result.reason[:500],
            next_retry_delay=result.retry_after,
            category=ApplicationErrorCategory.BENIGN,
        )
    elif isinstance(result, Ambiguous):
        row = session.get_one(t.Delivery, claim.delivery_id)
        if row.claim == claim.token:
            d.unknown(session, customer, row, result.reason, at)
    session.flush()
    return None


def freeze(message: Message) -> dict[str, Any]:
    """What is sent, as it is kept with the delivery."""
    data = asdict(message)
    data.pop("attachments")
    return data


def thaw(row: t.Delivery) -> Message:
    """The very message that an earlier attempt claimed."""
    data = dict(row.message)
    data["channel"] = ActionType(data["channel"])
    data["recipients"] = tuple(
        Recipient(Role(r["role"]), r["address"], r["name"], r["contact_id"])
        for r in data["recipients"]
    )
    data["headers"] = tuple((name, value) for name, value in data["headers"])
    return Message(**data)
