"""Simulates each customer of a book a second time and lists every violation of the rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from books.facts import Fact
from books.row import BookRow
from tests.cast.checker.data import MIDNIGHT, ActionRow, Plan, Setting
from tests.cast.checker.life import Life
from tests.cast.checker.plainly import plainly


def check(
    rows: Iterable[BookRow],
    facts: Iterable[Fact],
    plans: Sequence[Mapping[str, Any]],
    setting: Setting,
    actions: list[ActionRow],
    refused: Iterable[str] = (),
) -> list[str]:
    """Every violation, in words. ``refused``: the lines that the rehearsal reported as refused."""
    known_plans = {data["name"]: Plan.read(data) for data in plans}
    happenings: dict[str, list[tuple[datetime, int, Any]]] = defaultdict(list)
    start = datetime.combine(setting.start, MIDNIGHT)
    for place, row in enumerate(rows):
        known = max(row.issued_on, setting.start)
        if known > setting.until or (row.paid_on and row.paid_on < setting.start):
            continue
        mine = happenings[row.customer]
        mine.append((datetime.combine(known, MIDNIGHT), 2 * place, ("known", row)))
        if row.paid_on and row.paid_on <= setting.until:
            paid = datetime.combine(max(row.paid_on, known), MIDNIGHT)
            mine.append((paid, 2 * place + 1, ("paid", row)))
    for fact in facts:
        if fact.at.date() <= setting.until:
            at = max(fact.at, start)
            happenings[fact.customer].append((at, 2 * 10**9 + fact.line, ("fact", fact)))
    by_customer = defaultdict(list)
    for action in actions:
        by_customer[action.customer].append(action)
    found = plainly(actions, list(known_plans.values()), setting)
    wrongly: list[str] = []
    for customer in sorted(set(happenings) | set(by_customer)):
        life = Life(customer, known_plans, plans[0]["name"], setting, by_customer[customer])
        life.live(sorted(happenings[customer], key=lambda h: h[:2]))
        found += life.wrong
        wrongly += life.refused
    told = Counter(line.split(":")[0] for line in refused)
    for line in sorted((Counter(wrongly) - told).elements()):
        found.append(f"{line} makes no sense, and was not refused")
    for line in sorted((told - Counter(wrongly)).elements()):
        found.append(f"{line} was refused without need")
    return found
