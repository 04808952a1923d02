"""``send_email``, ``send_sms``, ``send_letter``: the guarded path of every message that leaves.

Lock the customer, decide again at this instant (rule 36), claim and commit, call the provider once,
record, decide what is next. An outcome that nobody knows is looked up (``look_up``), and is never
sent again by itself but under a key that the provider knows.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.deciding import (
    LOCK_TIMEOUT,
    Clock,
    decide_and_record,
    engine_time,
    nobody,
    real_clock,
    working,
)
from activities.frozen import freeze, thaw
from activities.held import Call, again_after, learn, via
from activities.putting import Put, put_into_words
from backoffice.delivery import deliveries as d
from backoffice.delivery.drafts import NotVerified
from backoffice.people import held_accounts
from backoffice.worklist.decisions import action_to_send
from dunning.decide import decide
from dunning.plan import ActionType
from dunning.recheck import still_due
from messages.message import BadMessage, Message
from messages.template import TemplateError
from providers.port import (
    Accepted,
    Ambiguous,
    CannotTell,
    Channel,
    Found,
    LooksUp,
    LookUp,
    NotSent,
    Rejected,
    Result,
)
from store import tables as t
from store.engine import ERRORS, is_lock_timeout, is_outage, transaction
from store.errors import Invalid
from store.load import Loaded, load
from store.locks import lock_customer
from store.unit import Unit
from workflows.contracts import LOOK_UP, SEND, Instruction, SendInput

#: With a provider's time-outs well inside a claim's (``backoffice.delivery.deliveries``) and the
#: activity's own.
_KEEP_SECONDS = 10
#: Somebody who holds the customer lets go of it, or is an import of a whole book: so long a thread
#: keeps an outcome that nobody else knows. Then it counts as unknown, and is looked up.
_KEEP_LOCKED_SECONDS = 120
#: How long before our claim a provider's clock may have accepted the message.
_CLOCKS_DIFFER = timedelta(minutes=1)

#: An organisation's own account at a provider of a type; None = the installation's.
OwnChannel = Callable[[Unit, ActionType], Channel | None]


@dataclass(frozen=True)
class _Claimed:
    claim: d.Claim
    channel: Channel
    message: Message
    call: Call


@dataclass(frozen=True)
class _Asked:
    delivery_id: uuid.UUID
    channel: Channel
    message: Message
    since: datetime


class Sending:
    """``channels``: the installation's provider of each type, ``own`` an organisation's, ``outbox``
    the one of rehearsals. ``public_url``: where short links lead; ``look_up_after``: when a
    provider whose answer was lost is asked, after that; ``probe_after``: when an account that is
    refused is tried again."""

    def __init__(
        self,
        engine: Engine,
        channels: Mapping[ActionType, Channel],
        outbox: Mapping[ActionType, Channel],
        real: Clock = real_clock,
        *,
        own: OwnChannel | None = None,
        public_url: str = "",
        look_up_after: Sequence[timedelta] = d.LOOK_UP_AFTER,
        probe_after: Sequence[timedelta] = held_accounts.PROBE_AFTER,
    ) -> None:
        self._engine = engine
        self._channels = channels
        self._outbox = outbox
        self._clock = real
        self._own = own
        self._public_url = public_url
        self._look_up_after = look_up_after
        self._probe_after = probe_after

    @activity.defn(name=SEND["email"])
    def send_email(self, order: SendInput) -> Instruction:
        return self._send(order)

    @activity.defn(name=SEND["sms"])
    def send_sms(self, order: SendInput) -> Instruction:
        return self._send(order)

    @activity.defn(name=SEND["letter"])
    def send_letter(self, order: SendInput) -> Instruction:
        return self._send(order)

    @activity.defn(name=LOOK_UP)
    def look_up(self, order: SendInput) -> Instruction:
        """Ask the provider whether it has a message whose answer was lost."""
        customer_id = uuid.UUID(order.customer_id)
        now = engine_time(order.now, self._clock)
        with working(self._engine) as session:
            unit = Unit(session, uuid.UUID(order.organisation_id), now)
            try:
                loaded = load(unit, customer_id)
            except KeyError:
                return nobody(order.customer_id)
            asked = self._ask(unit, loaded)
            if asked is None:
                return decide_and_record(unit, customer_id, order.handled)
        answer = _look_up(asked)
        return self._kept(lambda: self._answered(customer_id, asked, answer, order, now))

    def _send(self, order: SendInput) -> Instruction:
        """One message at most. Retried by Temporal only while it has certainly not left."""
        customer_id = uuid.UUID(order.customer_id)
        now = engine_time(order.now, self._clock)
        with working(self._engine) as session:
            unit = Unit(session, uuid.UUID(order.organisation_id), now)
            try:
                claimed = self._claim(unit, customer_id, order)
            except KeyError:
                return nobody(order.customer_id)
        if isinstance(claimed, ApplicationError):
            raise claimed
        if isinstance(claimed, Instruction):
            return claimed
        return self._call(customer_id, claimed, order, now)

    def _call(
        self, customer_id: uuid.UUID, claimed: _Claimed, order: SendInput, now: datetime
    ) -> Instruction:
        result = claimed.channel.send(claimed.message)
        return self._kept(lambda: self._settle(customer_id, claimed, result, order, now))

    def _kept(self, write: Callable[[], Instruction]) -> Instruction:
        """Only we know the outcome: a database that is away for a moment must not lose it, nor
        somebody who holds the customer."""
        began = time.monotonic()
        while True:
            try:
                return write()
            except ERRORS as error:
                patience = _patience(error)
                if time.monotonic() - began > patience:
                    raise
                time.sleep(0.2)

    def _settle(
        self,
        customer_id: uuid.UUID,
        claimed: _Claimed,
        result: Result,
        order: SendInput,
        now: datetime,
    ) -> Instruction:
        with transaction(self._engine, lock_timeout=LOCK_TIMEOUT) as session:
            unit = Unit(session, uuid.UUID(order.organisation_id), now)
            customer = lock_customer(unit, customer_id)
            retry = self._record(unit, customer, claimed, result)
            if retry is None:
                return decide_and_record(unit, customer_id, order.handled)
        raise retry

    def _record(
        self,
        unit: Unit,
        customer: t.Customer,
        claimed: _Claimed,
        result: Result,
    ) -> ApplicationError | None:
        """Record an outcome; an error to raise when the send is to be tried again."""
        claim = claimed.claim
        held = learn(
            unit.session, claimed.call, claimed.channel, customer.id, result, self._clock(),
            self._probe_after,
        )  # fmt: skip
        if isinstance(result, Accepted):
            d.accepted(unit, customer, claim, result.provider_id)
        elif claim.again:
            d.still_unknown(unit, customer, claim, result.reason, self._look_up_after)
        elif isinstance(result, Rejected):
            d.rejected(
                unit, customer, claim, result.reason, recipient_invalid=result.recipient_invalid,
                opted_out=result.opted_out,
            )  # fmt: skip
        elif isinstance(result, NotSent):
            d.not_sent(unit, claim, result.reason)
            # A provider's words may quote an address: they stay in our own database.
            told = "refuses our account" if result.holds_channel else "has not taken the message"
            where = f"the reason is the error of delivery {claim.delivery_id}"
            told = f"{claimed.channel.name} {told}: it stays, and is tried again; {where}"
            return again_after(told, held or result.retry_after)
        elif isinstance(result, Ambiguous):
            row = unit.session.get_one(t.Delivery, claim.delivery_id)
            if row.claim == claim.token and row.status == "sending":
                d.unknown(unit, customer, row, result.reason, self._look_up_after)
        unit.session.flush()
        return None

    def _claim(
        self, unit: Unit, customer_id: uuid.UUID, order: SendInput
    ) -> _Claimed | Instruction | ApplicationError:
        """An error is to be raised after the commit: nothing is claimed then."""
        loaded = load(unit, customer_id)
        in_flight = d.in_flight(unit, loaded)
        if in_flight is not None:
            return self._take_over(unit, loaded, in_flight, order)
        decision = decide(loaded.account, unit.now)
        if decision.send_on is not ActionType(order.channel):
            return decide_and_record(unit, customer_id, order.handled)
        action = action_to_send(unit, loaded, decision)
        channel = self._channel(unit, loaded, decision.then)
        try:
            put = self._put(unit, loaded, action, channel)
        except (BadMessage, TemplateError, NotVerified, Invalid) as e:
            if action.requested_at is not None:
                d.hand_back(unit, loaded.customer, action, str(e))
            elif not d.unreachable(unit, loaded.customer, action, e):
                claim = d.claim(unit, loaded, action, via(channel), {}, "")
                d.rejected(unit, loaded.customer, claim, str(e), recipient_invalid=False)
            return decide_and_record(unit, customer_id, order.handled)
        call = self._turn(unit, loaded, channel)
        if isinstance(call, timedelta):
            return again_after(f"{channel.name} is held", call)
        claim = d.claim(unit, loaded, action, via(channel), put.frozen, put.content_hash)
        return _Claimed(claim, channel, put.message, call)

    def _turn(self, unit: Unit, loaded: Loaded, channel: Channel) -> Call | timedelta:
        """The call that this send may make now; how long it waits where the account is held."""
        now = self._clock()
        own = channel not in (self._channels.get(channel.type), self._outbox.get(channel.type))
        owner = loaded.organisation.id if own else None
        if loaded.organisation.rehearsal_now is not None:  # the outbox refuses nobody
            return Call(via(channel), owner, now)
        turn = held_accounts.turn(
            unit.session, via(channel), loaded.customer.id, now, self._probe_after
        )
        return turn.wait or Call(via(channel), owner, now, turn.probe)

    def _put(self, unit: Unit, loaded: Loaded, action: t.Action, channel: Channel) -> Put:
        """The message: the words of today, but the very same ones under a key that still holds, of
        which the provider makes one message whatever we do."""
        row = d.of_action(unit, action)
        if row is not None and self._same_again(row, channel, unit.now):
            return Put(thaw(unit.session, row), dict(row.message), row.message_hash)
        message, files = put_into_words(unit, loaded, action, self._public_url)
        return Put(message, freeze(message, files), message.content_hash())

    @staticmethod
    def _same_again(row: t.Delivery, channel: Channel, at: datetime) -> bool:
        """Whether this message a second time is the first one: the same key at the same account."""
        same = d.same_account(row, via(channel)) and row.channel == channel.type
        return same and channel.idempotent and bool(row.message) and d.same_key_holds(row, at)

    def _take_over(
        self,
        unit: Unit,
        loaded: Loaded,
        row: t.Delivery,
        order: SendInput,
    ) -> _Claimed | Instruction | ApplicationError:
        """A former attempt claimed and never settled: it died, or is still at it."""
        if row.status == "unknown":  # looked up, not sent
            return decide_and_record(unit, loaded.customer.id, order.handled)
        if row.deadline is not None and real_clock() < row.deadline:
            left = row.deadline - real_clock() + timedelta(seconds=1)
            return again_after("another attempt is still calling the provider", left)
        again = self._again(unit, loaded, row)
        if isinstance(again, timedelta):
            return again_after(f"{row.provider} is held", again)
        if again is not None:
            return again
        reason = f"the program ended while {row.provider} was being called"
        d.unknown(unit, loaded.customer, row, reason, self._look_up_after)
        self._askable(unit, loaded, row)
        return decide_and_record(unit, loaded.customer.id, order.handled)

    def _again(self, unit: Unit, loaded: Loaded, row: t.Delivery) -> _Claimed | timedelta | None:
        """The same message once more, where the provider makes one of both by its key, and it would
        still be sent if it were decided now (rule 36); how long to wait where the account is held.
        """
        channel = self._channel(unit, loaded, ActionType(row.channel))
        if not self._same_again(row, channel, unit.now):
            return None
        if not still_due(loaded.account, str(row.action_id), unit.now):
            return None
        call = self._turn(unit, loaded, channel)
        if isinstance(call, timedelta):
            return call
        return _Claimed(d.reclaim(unit, row), channel, thaw(unit.session, row), call)

    def _ask(self, unit: Unit, loaded: Loaded) -> _Asked | None:
        """The delivery to look up now; None when none is, or its time has not come."""
        row = d.in_flight(unit, loaded)
        if row is None or row.status != "unknown" or not row.message:
            return None
        if row.deadline is not None and unit.now < row.deadline:
            return None
        channel = self._askable(unit, loaded, row)
        if channel is None:
            return None
        since = (row.first_claimed_at or unit.now) - _CLOCKS_DIFFER
        return _Asked(row.id, channel, thaw(unit.session, row), since)

    def _askable(self, unit: Unit, loaded: Loaded, row: t.Delivery) -> Channel | None:
        """The account that can say what became of it; a person is asked where it is not in use."""
        channel = self._channel(unit, loaded, ActionType(row.channel))
        if d.can_be_asked(row, via(channel)):
            return channel
        d.needs_review(unit, loaded.customer, row, d.of_another_account(row))
        return None

    def _answered(
        self,
        customer_id: uuid.UUID,
        asked: _Asked,
        answer: LookUp,
        order: SendInput,
        now: datetime,
    ) -> Instruction:
        again: _Claimed | timedelta | None = None
        with transaction(self._engine, lock_timeout=LOCK_TIMEOUT) as session:
            unit = Unit(session, uuid.UUID(order.organisation_id), now)
            loaded = load(unit, customer_id)
            row = session.get_one(t.Delivery, asked.delivery_id, populate_existing=True)
            if row.status == "unknown":  # else a callback was quicker
                customer = loaded.customer
                if isinstance(answer, Found) and d.is_ours(unit, row, answer.provider_id):
                    how = f"a look-up at {row.provider}"
                    d.found(
                        unit,
                        customer,
                        row,
                        answer.provider_id,
                        how,
                    )
                else:
                    again = self._again(unit, loaded, row)
                    if isinstance(again, timedelta):  # asked again then; nothing is counted
                        row.deadline = unit.now + again
                    elif again is None:
                        words = answer.reason if isinstance(answer, CannotTell) else "nothing found"
                        d.not_found(
                            unit,
                            customer,
                            row,
                            words,
                            self._look_up_after,
                        )
            if again is None or isinstance(again, timedelta):
                return decide_and_record(unit, customer_id, order.handled)
        return self._call(customer_id, again, order, now)

    def _channel(self, unit: Unit, loaded: Loaded, kind: ActionType | None) -> Channel:
        assert kind is not None, "a send decision names its channel"
        if loaded.organisation.rehearsal_now is not None:
            return self._outbox[kind]
        own = self._own(unit, kind) if self._own else None
        return own or self._channels[kind]


def _patience(error: BaseException) -> float:
    """For how many seconds an outcome is kept in spite of this error."""
    if is_lock_timeout(error):
        return _KEEP_LOCKED_SECONDS
    return _KEEP_SECONDS if is_outage(error) or isinstance(error, OperationalError) else 0


def _look_up(asked: _Asked) -> LookUp:
    if asked.message.channel is not asked.channel.type or not isinstance(asked.channel, LooksUp):
        return CannotTell(f"{asked.channel.name} cannot be asked")
    return asked.channel.look_up(asked.message, asked.since)
