"""``dunning rehearse``: months of a book on the real engine, before a message ever leaves."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.console import bar, out, warn
from local.standalone import Embedded, Services, TemporalOptions
from logs import set_up_logging
from settings import load_settings
from store.engine import migrate

if TYPE_CHECKING:
    from rehearsal.report import Summary
    from rehearsal.script import Script


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date; write 2025-01-31") from None


def _time(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a wall-clock time
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time; write 08:30") from None


def _manual_days(text: str) -> str:
    if text != "never" and not text.isdecimal():
        raise typer.BadParameter(f"{text!r} is neither a number of days nor 'never'")
    return text


_From = Annotated[str, typer.Option("--from", callback=lambda text: str(_date(text)))]
_Until = Annotated[str, typer.Option(callback=lambda text: str(_date(text)), help="Included.")]
_Time = Annotated[str, typer.Option(callback=lambda text: str(_time(text))[:5])]
_ManualDays = Annotated[
    str, typer.Option(callback=_manual_days, help="Days until owners complete, or 'never'.")
]
_Keep = Annotated[
    bool, typer.Option("--keep", help="Keep the services running, to look at the runs.")
]


def rehearse(
    book: Annotated[Path, typer.Argument(help="The invoices, as CSV.")],
    plan: Annotated[list[Path], typer.Option(help="Plan (TOML); the first is everybody's.")],
    from_: _From,
    until: _Until,
    folder: Annotated[Path, typer.Option("--out", help="Where actions.csv and summary.json go.")],
    map_: Annotated[Path | None, typer.Option("--map", help="How a foreign file reads.")] = None,
    facts: Annotated[Path | None, typer.Option(help="What else happens, as CSV.")] = None,
    timezone: str = "Europe/Paris",
    sending_time: _Time = "08:30",
    working_days: str = "mon-fri",
    holidays: Annotated[str, typer.Option(help="Country, as FR or DE-BY.")] = "",
    manual_days: _ManualDays = "0",
    skip_bad_rows: Annotated[bool, typer.Option("--skip-bad-rows")] = False,
    keep: _Keep = False,
) -> None:
    """Live through months of a book on the real engine before a message ever leaves."""
    from rehearsal.script import Files, read_script

    set_up_logging("WARNING")
    script = read_script(
        Files(book, plan, map_, facts),
        _date(from_),
        _date(until),
        skip_bad_rows=skip_bad_rows,
        timezone=timezone,
        sending_time=_time(sending_time),
        working_days=working_days,
        holidays=holidays,
        manual_days=None if manual_days == "never" else int(manual_days),
        name=f"Rehearsal of {book.name}",
    )
    _run(script, folder, keep=keep)


def _run(script: Script, folder: Path, *, keep: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    options = TemporalOptions(in_memory=not keep, ui_port=0 if keep else None)
    with (
        _state_dir(folder, keep=keep) as state,
        Embedded(state, durable=False, temporal=options) as services,
    ):
        migrate(services.database_url)
        _print(asyncio.run(_rehearse(script, services, folder)), script, folder)
        if keep:
            out.print(f"Temporal UI {services.temporal_ui_url}, database {services.database_url}")
            out.print("Ctrl-C ends them")
            _wait_for_ctrl_c()


@contextmanager
def _state_dir(folder: Path, *, keep: bool) -> Iterator[Path]:
    if keep:
        yield folder / "services"
    else:
        with tempfile.TemporaryDirectory(prefix="dunning-") as state:
            yield Path(state)


def _print(summary: Summary, script: Script, folder: Path) -> None:
    from rehearsal.report import as_table

    out.print(as_table(summary, [s["key"] for plan in script.plans for s in plan["steps"]]))
    for line in summary.refused:
        warn(f"refused: {line}", style="yellow")
    out.print(
        f"{summary.actions} actions for {summary.customers} customers and {summary.invoices} "
        f"invoices in {summary.seconds:.0f} s; see {folder / 'actions.csv'}"
    )
    if rounded := sum(row.rounded for row in script.rows):
        out.print(f"{rounded} amounts of the book were rounded to their currency")


async def _rehearse(script: Script, services: Services, folder: Path) -> Summary:
    from activities.temporal import connect_temporal
    from rehearsal.run import rehearse as run
    from rehearsal.run import write

    keys = load_settings().temporal_key_list
    client = await connect_temporal(services.temporal_address, keys=keys)
    with bar("rehearsing", (script.until - script.start).days + 1) as step:

        def progress(at: datetime) -> None:
            step((at.date() - script.start).days)

        organisation_id, summary = await run(
            script, services.database_url, client, progress=progress
        )
    return write(services.database_url, organisation_id, summary, folder)


def _wait_for_ctrl_c() -> None:
    import threading

    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        out.print("ended")
