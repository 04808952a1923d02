"""The checker's input (plans and rows of actions.csv) and its state."""

from __future__ import annotations

import csv
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
TEN = time(10)
MIDNIGHT = time(0)


@dataclass(frozen=True)
class Setting:
    start: date
    until: date
    timezone: str = "Europe/Paris"
    sending_time: time = time(8, 30)
    working_days: frozenset[int] = frozenset(range(5))
    holidays: Container[date] = frozenset()
    manual_days: int | None = 0


@dataclass
class ActionRow:
    """A row of actions.csv."""

    at: datetime  # local, without zone
    customer: str
    invoice: str
    step: str
    automatic: bool
    status: str
    place: int
    used: bool = False

    def __str__(self) -> str:
        return (
            f"{self.at:%a %Y-%m-%d %H:%M} {self.customer} {self.invoice} {self.step} {self.status}"
        )


@dataclass
class Step:
    place: int
    key: str
    type: str
    automatic: bool
    trigger: Mapping[str, Any]
    delay: int
    every: int | None
    limit: int | None
    recipients: list[str]


@dataclass
class Plan:
    name: str
    contextualized: bool
    tasks_count: bool
    steps: list[Step]

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Plan:
        steps = [
            Step(
                place=n,
                key=s["key"],
                type=s["type"],
                automatic=s.get("automatic", False),
                trigger=s["trigger"],
                delay=s.get("contact_delay_days", data.get("contact_delay_days", 0)),
                every=s.get("repeat_every_days"),
                limit=s.get("repeat_limit"),
                recipients=s.get("recipients", ["main"]),
            )
            for n, s in enumerate(data["steps"])
        ]
        context = data.get("first_action", "standard") == "contextualized"
        return cls(data["name"], context, data.get("tasks_count", True), steps)


@dataclass
class WorkedStep:
    """A step that was executed or skipped on an invoice."""

    plan: str
    step: Step
    occurrence: int
    on: date
    executed: bool


@dataclass
class Invoice:
    key: str
    issued: date
    due_on: date | None
    total: Decimal
    currency: str
    void: bool = False
    disputed: bool = False
    pauses: list[date | None] = field(default_factory=list)
    promised: date | None = None
    worked: list[WorkedStep] = field(default_factory=list)
    waited: set[tuple[str, int]] = field(default_factory=set)  # without a valid address (35)


@dataclass
class Money:
    """A payment or a credit, for one invoice or for none."""

    invoice: str
    amount: Decimal
    currency: str
    payment: bool
    reversed: bool = False


@dataclass
class OpenAction:
    """A manual action, or one that found no recipient, with its owner."""

    invoice: str
    step: Step
    occurrence: int
    plan: str
    shown: datetime
    no_recipient: bool
    row: ActionRow | None = None  # if it was never executed


def read_actions(path: Path, setting: Setting) -> tuple[list[ActionRow], list[str]]:
    """The rows of actions.csv, and errors in their form."""
    zone, found, wrong = ZoneInfo(setting.timezone), [], []
    with path.open(newline="", encoding="utf-8") as file:
        for place, row in enumerate(csv.DictReader(file)):
            at = datetime.fromisoformat(row["at"])
            if at.astimezone(zone).isoformat(timespec="seconds") != row["at"]:
                wrong.append(f"{row['at']} is not a time of {setting.timezone}")
            found.append(
                ActionRow(
                    at=at.astimezone(zone).replace(tzinfo=None),
                    customer=_cell(row["customer"]),
                    invoice=_cell(row["invoice"]),
                    step=row["step"],
                    automatic=row["automatic"] == "true",
                    status=row["status"],
                    place=place,
                )
            )
    if [row.at for row in found] != sorted(row.at for row in found):
        wrong.append("the rows are not in order of time")
    return found, wrong


def _cell(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text
