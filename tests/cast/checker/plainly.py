"""Violations that show in actions.csv without the book."""

from __future__ import annotations

from collections import Counter
from datetime import time

from tests.cast.checker.data import ActionRow, Plan, Setting, Step


def plainly(actions: list[ActionRow], plans: list[Plan], setting: Setting) -> list[str]:
    """Check hours, days, contact delays, the order of steps, and repetitions."""
    wrong = []
    steps = {(p.name, s.key): s for p in plans for s in p.steps}
    by_key = {key: step for (_, key), step in reversed(steps.items())}
    last: dict[str, ActionRow] = {}
    times: Counter[tuple[str, str]] = Counter()
    for row in actions:
        step = by_key.get(row.step)
        if step is None:
            wrong.append(f"{row}: no plan has such a step")
            continue
        if row.status not in ("done", "to_do", "skipped", "withdrawn", "obsolete", "needs_review"):
            wrong.append(f"{row}: did not succeed")
        if row.status != "done":
            continue
        times[row.invoice, row.step] += 1
        most = 1 if not step.every else 10**6 if step.limit is None else 1 + step.limit
        if times[row.invoice, row.step] > most:
            wrong.append(f"{row}: for the {times[row.invoice, row.step]}. time (25)")
        before = last.get(row.customer)
        if step.type != "task" or all(p.tasks_count for p in plans):
            last[row.customer] = row
        if before is not None:
            wrong += after(row, step, before, by_key[before.step], plans)
    return wrong


def after(
    row: ActionRow, step: Step, before: ActionRow, former: Step, plans: list[Plan]
) -> list[str]:
    """Violations of a contact that follows another of the same customer."""
    wrong = []
    days = (row.at.date() - before.at.date()).days
    same = row.invoice == before.invoice and row.step != before.step
    if days < step.delay:
        wrong.append(f"{row}: only {days} days after {before.step} (16, 17)")
    elif days == 0 and row.automatic and before.automatic and not same:
        wrong.append(f"{row}: a second one that day (19)")
    one_plan = any({s.key for s in p.steps} >= {row.step, before.step} for p in plans)
    if before.invoice == row.invoice and step.place < former.place and one_plan:
        wrong.append(f"{row}: after {before.step}, which is later in the list (14)")
    return wrong


def hours(row: ActionRow, setting: Setting) -> str:
    """Why an automatic action may not leave at this time (20, 21); "" = it may."""
    if row.at.weekday() not in setting.working_days:
        return "not a working day (20)"
    if row.at.date() in setting.holidays:
        return "a holiday (20)"
    if row.at.time() < setting.sending_time:
        return "before the sending time (20)"
    if row.at.time() >= max(time(17), setting.sending_time.replace(minute=59)):
        return "after the cut-off (21)"
    return ""
