"""The outcome of each message: the stand-ins' ledger compared with the actions in the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import psycopg

from stand_ins.fault_book import CHANNELS, Addressee
from stand_ins.providers import Ledger

#: A person sees it: the provider refused it.
_REFUSED = {"to_do", "failed"}
_UNSETTLED = {"planned", "sending"}

_ACTIONS = """
    SELECT c.external_id, array_agg(a.status)
    FROM customer c JOIN action a ON a.customer_id = c.id AND a.step_key IS NOT NULL
    GROUP BY 1
"""
_LEARNT = """
    SELECT
        count(*) FILTER (WHERE text LIKE '%, as a look-up at %'),
        count(*) FILTER (WHERE text LIKE '%, as a report of %'),
        count(*) FILTER (WHERE text LIKE '%, as a late answer of %')
    FROM timeline WHERE kind = 'action_done'
"""
_OPEN = """
    SELECT
        (SELECT count(*) FROM action WHERE status IN ('planned', 'sending')),
        (SELECT count(*) FROM delivery WHERE status IN ('planned', 'sending', 'unknown')),
        (SELECT count(*) FROM callback WHERE outcome = ''),
        (SELECT count(*) FROM nudge)
"""


@dataclass(slots=True)
class Tally:
    """Numbers of messages. ``once``, ``twice``: accepted by the provider once, twice or more. Not
    accepted: ``review_unsent`` and ``refused``, which a person sees, and ``never``, which nobody
    sees. ``lies``: of these, the ones that the database calls done.

    ``review_sent``: accepted, and a person is asked. ``unsettled``: planned or sending.
    """

    actions: int = 0
    once: int = 0
    twice: int = 0
    never: int = 0
    lies: int = 0
    review_sent: int = 0
    review_unsent: int = 0
    refused: int = 0
    unsettled: int = 0

    def add(self, other: Tally) -> None:
        for part in fields(self):
            setattr(self, part.name, getattr(self, part.name) + getattr(other, part.name))


@dataclass(slots=True)
class Report:
    """``strays``: messages accepted for an address that is not in the book. ``wrong``: addressees
    whose message counts as ``twice``, ``never`` or ``lies``. ``by_…``: how the outcome became known
    after an answer was lost. ``asked``: look-ups without a result, except those before a letter was
    sent again. ``callbacks``: outcomes of those that the API stored."""

    by_channel: dict[str, Tally] = field(default_factory=dict)
    wrong: list[Addressee] = field(default_factory=list)
    strays: int = 0
    by_look_up: int = 0
    by_callback: int = 0
    by_late_answer: int = 0
    asked: int = 0
    callbacks: Counter[str] = field(default_factory=Counter)

    @property
    def whole(self) -> Tally:
        whole = Tally()
        for tally in self.by_channel.values():
            whole.add(tally)
        return whole

    @property
    def good(self) -> bool:
        """No message sent twice, lost, wrongly called done or unsettled; every callback
        processed."""
        whole = self.whole
        wrong = whole.twice, whole.never, whole.lies, whole.unsettled, self.strays
        return not any(wrong) and set(self.callbacks) <= {"done"}


@dataclass(frozen=True, slots=True)
class Open:
    """Numbers of rows that are not settled yet."""

    actions: int
    deliveries: int
    callbacks: int
    nudges: int

    @property
    def nothing(self) -> bool:
        return not (self.actions or self.deliveries or self.callbacks or self.nudges)


def still_open(url: str) -> Open | None:
    """None while the database does not answer."""
    try:
        with _connected(url) as connection:
            row = connection.execute(_OPEN).fetchone()
            assert row
            return Open(*row)
    except psycopg.OperationalError:
        return None


def report(url: str, ledger: Ledger, people: Sequence[Addressee]) -> Report:
    """Counts by address, whatever id a message was sent under."""
    found = Report(by_channel={channel.value: Tally() for channel in CHANNELS})
    with _connected(url) as connection:
        statuses = {key: set(all_) for key, all_ in connection.execute(_ACTIONS)}
        learnt = connection.execute(_LEARNT).fetchone()
        assert learnt
        found.by_look_up, found.by_callback, found.by_late_answer = learnt
        row = connection.execute("SELECT coalesce(sum(look_ups), 0) FROM delivery").fetchone()
        found.asked = int(row[0]) if row else 0
        for outcome, count in connection.execute(
            "SELECT outcome, count(*) FROM callback GROUP BY 1"
        ):
            found.callbacks[outcome or "waiting"] = count
    known = 0
    for person in people:
        accepted = len(ledger.entries(recipient=person.address))
        one = _judge(accepted, statuses.get(person.key, set()))
        found.by_channel[person.channel.value].add(one)
        known += accepted
        if one.twice or one.never or one.lies:
            found.wrong.append(person)
    found.strays = len(ledger.entries()) - known
    return found


def _judge(accepted: int, statuses: set[str]) -> Tally:
    review, refused = "needs_review" in statuses, bool(statuses & _REFUSED)
    unsettled = not statuses or bool(statuses & _UNSETTLED)
    return Tally(
        actions=1,
        once=accepted == 1,
        twice=accepted > 1,
        never=accepted == 0 and not review and not refused,
        lies=accepted == 0 and "done" in statuses,
        review_sent=accepted > 0 and review,
        review_unsent=accepted == 0 and review,
        refused=accepted == 0 and refused and not review,
        unsettled=unsettled,
    )


def evidence(url: str, ledger: Ledger, person: Addressee) -> list[str]:
    """What the provider and the database have about one message, to find the cause of a failure."""
    lines = [f"{person.key} by {person.channel.value} to {person.address}"]
    for entry in ledger.entries(recipient=person.address):
        at = f"{entry.at:%H:%M:%S.%f}"
        lines.append(f"  {at} {entry.provider} took {entry.delivery_id} as {entry.provider_id}")
    with _connected(url) as connection:
        key = (person.key,)
        for table, statement in _EVIDENCE.items():
            rows = connection.execute(statement, key).fetchall()
            lines += [f"  {table}: " + " · ".join(map(str, row)) for row in rows]
    return lines


_OF = "WHERE customer_id = (SELECT id FROM customer WHERE external_id = %s)"
_EVIDENCE = {
    "action": f"SELECT id, step_key, attempt, status, cause, reason FROM action {_OF}",
    "delivery": f"""
        SELECT id, status, provider_id, sends, look_ups, claimed_at::time, first_claimed_at::time,
            deadline::time, settled_at::time, error
        FROM delivery {_OF}
    """,
    "timeline": f"SELECT at::time, kind, text FROM timeline {_OF} ORDER BY id",
}


def _connected(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url.replace("+psycopg", ""), connect_timeout=5)
