"""The contract between the sequence and its activities: inputs, results, names, limits.

Recorded histories must still load: fields are only added, with defaults. Payloads hold ids,
instants and short labels, and what people wrote into a signal by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

#: Names in Temporal: the workflow type of the sequence, and its signals.
SEQUENCE = "CustomerSequence"
SIGNALS = ("payment", "complete", "skip", "pause", "resume", "account_changed")

REVIEW = "review"
SEND = {"email": "send_email", "sms": "send_sms", "letter": "send_letter"}
LOOK_UP = "look_up"
#: The daily pruning, and its one activity.
PRUNE, PRUNE_ACTIVITY = "Prune", "prune"

#: The query that answers a ``Standing``.
NEXT = "next"

#: Search attributes. Organisation and customer (billing's own id) are set at the start and kept by
#: continue-as-new; the state is upserted when it changes. Temporal stores them unencrypted.
ORGANISATION_ATTRIBUTE = "DunningOrganisation"
CUSTOMER_ATTRIBUTE = "DunningCustomer"
STATE_ATTRIBUTE = "DunningState"
SEARCH_ATTRIBUTES = (ORGANISATION_ATTRIBUTE, CUSTOMER_ATTRIBUTE, STATE_ATTRIBUTE)

#: A review uses the database only. A send calls a provider once (10 s to connect, 10 s to answer).
#: A look-up calls it several times.
REVIEW_TIMEOUT = timedelta(seconds=15)
SEND_TIMEOUT = timedelta(seconds=30)
LOOK_UP_TIMEOUT = timedelta(seconds=60)
FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=1)

#: Continue as new when the history has more events: replay stays cheap.
ROLL_AT_EVENTS = 300
#: Continue as new after so many signals: Temporal refuses a run's 10,001st.
ROLL_AT_SIGNALS = 1_000
#: The run of a customer who owes nothing ends after this time without a signal.
LINGER = timedelta(days=30)


def workflow_id(organisation_id: str, customer_id: str) -> str:
    """The stable id of a customer's sequence."""
    return f"dunning/{organisation_id}/{customer_id}"


def channel_queue(task_queue: str, channel: str) -> str:
    """Each channel has its own task queue: a provider that is down delays its channel only."""
    return f"{task_queue}-{channel}"


@dataclass
class Signal:
    """A signal: what happened, by id, with a few words that make the run readable.

    From the API: ``nudge`` is the number of the nudge, ``id`` that of the fact, which is already
    stored. By hand both may be missing; the sequence then makes an ``id``. ``invoice``: its number.
    ``amount``: "12.50", by default the balance. ``until``: an ISO date. ``who``, ``why``: free
    text. ``clock``: a rehearsal's clock was moved.
    """

    signal: str = "account_changed"
    id: str = ""
    nudge: int = 0
    invoice: str = ""
    amount: str = ""
    until: str = ""
    who: str = ""
    why: str = ""
    clock: bool = False

    @staticmethod
    def read_all(signal: str, payload: Any, made_id: str) -> list[Signal]:
        """Whatever was sent, as signals. Never raises: an error in a handler fails the workflow
        task. The relay sends everything that waits for one customer as one signal: a list
        ``messages``, each with the name of its ``signal``."""
        several = payload.get("messages") if isinstance(payload, dict) else None
        if not isinstance(several, list):
            return [Signal.read(signal, payload, made_id)]
        return [
            Signal.read(one["signal"], one, f"{made_id}/{place}")
            for place, one in enumerate(several)
            if isinstance(one, dict) and one.get("signal") in SIGNALS
        ]

    @staticmethod
    def read(signal: str, payload: Any, made_id: str) -> Signal:
        """Whatever was sent, as one signal. Never raises."""
        if isinstance(payload, str):
            payload = {"why": payload}
        if not isinstance(payload, dict):
            payload = {}
        texts = {
            name: text
            for name in ("id", "invoice", "amount", "until", "who", "why")
            if (text := _storable(payload.get(name)))
        }
        nudge = payload.get("nudge")
        return Signal(
            signal=signal,
            nudge=nudge if type(nudge) is int and 0 < nudge < 2**63 else 0,
            clock=payload.get("clock") is True,
            **{"id": made_id, **texts},
        )


def _storable(value: Any) -> str:
    """A short text that PostgreSQL and JSON can hold: no NUL, no half of a surrogate pair."""
    if value is None:
        return ""
    try:
        text = str(value)
    except (ValueError, RecursionError):  # a number of thousands of digits
        return ""
    return text[:500].replace("\0", "").encode("utf-8", "ignore").decode()


@dataclass
class Instruction:
    """What the sequence does next. ``state``: send, await_owner, wait or rest.

    ``until`` (UTC, the engine's clock) is when to wake, None = only a signal does. ``then`` is the
    channel to send on at that moment; without one the account is reviewed. ``look_up``: the channel
    is asked whether it has a message whose answer was lost, and nothing is sent. ``summary`` and
    ``label`` are words for the Temporal UI. ``owes_nothing``: the run may end after a while.
    """

    state: str
    until: datetime | None = None
    then: str | None = None
    carrying: str | None = None
    summary: str = ""
    label: str = ""
    owes_nothing: bool = False
    look_up: bool = False


@dataclass
class Standing:
    """Answer of the query ``next``: what the current details of a run say, as data.

    ``about`` is who this is, ``summary`` the sentence. ``doing`` is the activity that is at work
    ``since`` then (UTC), and is tried again until it succeeds; empty while the sequence sleeps.
    ``decided`` is False before the first review has answered; ``unread`` counts signals that no
    review has read yet. ``next`` is what was decided last.
    """

    about: str = ""
    summary: str = ""
    doing: str = ""
    since: datetime | None = None
    decided: bool = False
    unread: int = 0
    next: Instruction | None = None


@dataclass
class SequenceStart:
    """Input of a run. After the first one it carries on from ``next``.

    ``about``: who this is, in words. A static summary is lost when a run goes on as a new one (the
    SDK cannot set it there), so the current details say it too.
    """

    organisation_id: str
    customer_id: str
    task_queue: str = "dunning"
    carrying: str | None = None
    next: Instruction | None = None
    state: str = ""
    about: str = ""


@dataclass
class ReviewInput:
    """``now`` is the sequence's clock (UTC)."""

    organisation_id: str
    customer_id: str
    now: datetime
    messages: list[Signal] = field(default_factory=list)


@dataclass
class SendInput:
    """``handled``: the number of the nudge that this send answers, 0 = a timer fired."""

    organisation_id: str
    customer_id: str
    now: datetime
    channel: str
    handled: int = 0
