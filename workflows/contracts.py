"""The contract between the sequence and its activities: inputs, results, names, limits.

Recorded histories must still load: fields are only added, with defaults. Payloads contain ids,
instants and short labels, and the texts of signals sent by hand.
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
#: The daily pruning: a workflow with one activity.
PRUNE, PRUNE_ACTIVITY = "Prune", "prune"

#: The query that answers a ``Standing``.
NEXT = "next"

#: Search attributes. Organisation and customer (billing's own id) are set at the start and kept by
#: continue-as-new; the state is upserted when it changes. Temporal stores them unencrypted.
ORGANISATION_ATTRIBUTE = "DunningOrganisation"
CUSTOMER_ATTRIBUTE = "DunningCustomer"
STATE_ATTRIBUTE = "DunningState"
SEARCH_ATTRIBUTES = (ORGANISATION_ATTRIBUTE, CUSTOMER_ATTRIBUTE, STATE_ATTRIBUTE)

#: A review uses only the database. A send calls a provider once, a look-up several times.
REVIEW_TIMEOUT = timedelta(seconds=15)
SEND_TIMEOUT = timedelta(seconds=30)
LOOK_UP_TIMEOUT = timedelta(seconds=60)
FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=1)

#: Continue as new when the history has more events, so that replay stays fast.
ROLL_AT_EVENTS = 300
#: Continue as new after so many signals: Temporal refuses the 10,001st signal of a run.
ROLL_AT_SIGNALS = 1_000
#: The run of a customer who owes nothing ends after so long without a signal.
LINGER = timedelta(days=30)


def workflow_id(organisation_id: str, customer_id: str) -> str:
    """The stable id of a customer's sequence."""
    return f"dunning/{organisation_id}/{customer_id}"


def channel_queue(task_queue: str, channel: str) -> str:
    """One task queue for each channel: a provider that is down delays only its channel."""
    return f"{task_queue}-{channel}"


@dataclass
class Signal:
    """What happened, by id, with a few words that make the run readable.

    From the API: ``nudge`` is the nudge's number, ``id`` that of the stored fact. By hand both may
    be missing; then the sequence makes an ``id``. ``invoice``: its number. ``amount``: "12.50", by
    default the balance. ``until``: an ISO date. ``who``, ``why``: free text. ``clock``: a
    rehearsal's clock was moved.
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
        """Reads any payload as signals. Never raises, because an error in a handler fails the
        workflow task. The relay sends everything that waits for one customer as one signal: a list
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
        """Reads any payload as one signal. Never raises."""
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
    """A short text that PostgreSQL and JSON can store: no NUL, no half of a surrogate pair."""
    if value is None:
        return ""
    try:
        text = str(value)
    except (ValueError, RecursionError):  # a number with thousands of digits
        return ""
    return text[:500].replace("\0", "").encode("utf-8", "ignore").decode()


@dataclass
class Instruction:
    """What the sequence does next. ``state``: send, await_owner, wait or rest.

    ``until`` (UTC, the engine's clock) is the next wake-up, None = only a signal wakes it. ``then``
    is the channel that sends at that moment; without one the account is reviewed. ``look_up``: the
    channel is asked whether it has a message whose answer was lost; nothing is sent. ``summary``
    and ``label`` are texts for the Temporal UI. ``owes_nothing``: the run may end after a while.
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
    """Answer to the query ``next``: the current details of a run, as data.

    ``about`` names the customer, ``summary`` is the sentence. ``doing`` is the running activity,
    which started at ``since`` (UTC) and is retried until it succeeds; empty while the sequence
    sleeps. ``decided`` is False before the first review has answered; ``unread`` counts signals
    that no review has read. ``next`` is the last decision.
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
    """Input of a run. After the first run, the next one continues from ``next``.

    ``about``: the customer, in words. The current details repeat it, because continue-as-new loses
    the static summary (the SDK cannot set it there).
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
