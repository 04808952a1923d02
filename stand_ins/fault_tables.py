"""A report of the fault benchmark as tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.table import Table

from stand_ins.fault_report import Report
from stand_ins.providers import Fault, StandIns


def tables(found: Report, stand_ins: StandIns) -> list[Table]:
    return [_messages(found), _faults(stand_ins), _made_good(found, stand_ins)]


def _messages(found: Report) -> Table:
    names = {
        "actions": "actions",
        "once": "once",
        "twice": "twice or more",
        "never": "never",
        "lies": "said to be sent, never accepted",
        "review_sent": "in review: accepted",
        "review_unsent": "in review: not accepted",
        "refused": "refused",
        "unsettled": "unsettled",
    }
    rows = [*found.by_channel.items(), ("all", found.whole)]
    return _table(
        ["channel", *names.values()],
        ([name, *(getattr(tally, part) for part in names)] for name, tally in rows),
    )


def _faults(stand_ins: StandIns) -> Table:
    played = stand_ins.played()
    return _table(
        ["fault", *played],
        ([fault.value, *(counted[fault] for counted in played.values())] for fault in Fault),
    )


def _made_good(found: Report, stand_ins: StandIns) -> Table:
    counts = stand_ins.counts()
    answers = ", ".join(f"{n} × {status or 'none'}" for status, n in counts.statuses.most_common())
    rows: list[list[Any]] = [
        ["found by a look-up", found.by_look_up],
        ["look-ups that found nothing or failed", found.asked],
        ["proven by a callback", found.by_callback],
        ["proven by a late answer", found.by_late_answer],
        ["callbacks posted", counts.posts],
        ["of these again", counts.retries],
        ["given up", counts.abandoned],
        ["our answers", answers],
        ["slowest answer", f"{counts.slowest:.2f} s"],
        [
            "what became of them",
            ", ".join(f"{n} {outcome}" for outcome, n in found.callbacks.items()),
        ],
    ]
    return _table(["lost answers and callbacks", ""], rows)


def _table(columns: list[str], rows: Iterable[list[Any]]) -> Table:
    table = Table(*columns, box=box.MARKDOWN)
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row))
    return table
