"""The results of a rehearsal: actions.csv, summary.json and the table on the terminal."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.table import Table
from sqlmodel import Session, col, select

from dunning.ids import InvoiceId, OrganisationId
from store import tables as t
from store.calendars import calendar_of

COLUMNS = ("at", "customer", "invoice", "step", "type", "automatic", "status", "reason")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass
class Summary:
    """Figures of a rehearsal; ``paid_after`` counts the paid invoices by the last step executed on
    them ("" = none), ``tasks`` the tasks without a step (rules 26 and 42)."""

    start: str
    until: str
    customers: int = 0
    invoices: int = 0
    actions: int = 0
    seconds: float = 0.0
    moments: int = 0
    steps: dict[str, dict[str, int]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    paid_after: dict[str, int] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    refused: list[str] = field(default_factory=list)


def write_actions(session: Session, organisation_id: OrganisationId, path: Path) -> int:
    """One row for each occurrence of a step that was shown or executed, in order of time; returns
    their number.

    ``at``: when it was executed, skipped, passed over or failed; else when it was shown. Without
    planned actions and tasks without a step, which contact nobody.
    """
    zone = calendar_of(session.get_one(t.Organisation, organisation_id)).zone
    rows = session.exec(
        select(t.Action, t.Customer.external_id, t.Invoice.external_id)
        .join(t.Customer, col(t.Customer.id) == t.Action.customer_id)
        .join(t.Invoice, col(t.Invoice.id) == t.Action.invoice_id)
        .where(t.Action.organisation_id == organisation_id, col(t.Action.step_key).is_not(None))
    ).all()
    found = []
    for action, customer, invoice in rows:
        at = action.executed_at
        if at is None and action.status in ("skipped", "obsolete", "failed"):
            at = action.ended_at
        at = at or action.shown_at
        if at is None or action.status == "planned":
            continue
        cells = [
            at.astimezone(zone).isoformat(timespec="seconds"),
            _safe(customer),
            _safe(invoice),
            action.step_key,
            action.executed_type or action.type,
            "true" if action.automatic else "false",
            action.status,
            _safe(action.reason),
        ]
        found.append((at, customer, action.seq, cells))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(cells for *_, cells in sorted(found, key=lambda f: f[:3]))
    return len(found)


def _safe(text: str) -> str:
    """A cell that a spreadsheet would run as a formula is shown as text instead."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def summarise(session: Session, organisation_id: OrganisationId, summary: Summary) -> Summary:
    mine = t.Action.organisation_id == organisation_id
    customers = select(t.Customer.id).where(t.Customer.organisation_id == organisation_id)
    summary.customers = len(session.exec(customers).all())
    invoices = session.exec(
        select(col(t.Invoice.id), col(t.Invoice.status)).where(
            t.Invoice.organisation_id == organisation_id
        )
    ).all()
    summary.invoices = len(invoices)
    steps: dict[str, Counter[str]] = defaultdict(Counter)
    last_step: dict[InvoiceId, str] = {}
    tasks: Counter[str] = Counter()
    for action in session.exec(select(t.Action).where(mine).order_by(col(t.Action.seq))):
        if action.step_key is None:
            tasks[f"{action.cause}: {action.status}"] += 1
        elif action.status != "planned" and (action.shown_at or action.ended_at):
            if action.status == "withdrawn" and action.shown_at is None:
                continue
            steps[action.step_key][action.status] += 1
            summary.types[action.step_key] = action.executed_type or action.type
            if action.status == "done":
                last_step[action.invoice_id] = action.step_key
    summary.steps = {key: dict(counts) for key, counts in steps.items()}
    summary.tasks = dict(tasks)
    summary.paid_after = dict(
        Counter(last_step.get(i, "") for i, status in invoices if status == "paid")
    )
    outbox = select(t.OutboxMessage.delivery_id).where(
        t.OutboxMessage.organisation_id == organisation_id
    )
    summary.messages = len(session.exec(outbox).all())
    return summary


def write_summary(summary: Summary, path: Path) -> None:
    path.write_text(json.dumps(asdict(summary), indent=2, ensure_ascii=False) + "\n", "utf-8")


def as_table(summary: Summary, order: list[str]) -> Table:
    """For each step: its actions by status, and the invoices that were paid after it."""
    statuses = sorted({s for counts in summary.steps.values() for s in counts})
    table = Table(title=f"Rehearsal {summary.start} to {summary.until}")
    table.add_column("step")
    table.add_column("type")
    for status in statuses:
        table.add_column(status.replace("_", " "), justify="right")
    table.add_column("paid after it", justify="right")
    known = [key for key in order if key in summary.steps or key in summary.paid_after]
    for key in [*known, *sorted(set(summary.steps) - set(known))]:
        counts = summary.steps.get(key, {})
        table.add_row(
            key,
            summary.types.get(key, ""),
            *(str(counts.get(s, "")) for s in statuses),
            str(summary.paid_after.get(key, "")),
        )
    untouched = str(summary.paid_after.get("", 0))
    table.add_row("(no step)", "", *("" for _ in statuses), untouched, style="dim")
    return table
