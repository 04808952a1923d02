"""``dunning rehearse``: months of a book on the real engine, before a message ever leaves."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.console import bar, err, out
from local.standalone import Embedded, Services
from logs import set_up_logging
from settings import load_settings
from store.engine import migrate


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


def rehearse(
    book: Annotated[Path, typer.Argument(help="The invoices, as CSV.")],
    plan: Annotated[list[Path], typer.Option(help="Plan (TOML); the first is everybody's.")],
    from_: Annotated[str, typer.Option("--from", callback=lambda v: str(_date(v)))],
    until: Annotated[str, typer.Option(callback=lambda v: str(_date(v)), help="Included.")],
    folder: Annotated[Path, typer.Option("--out", help="Where actions.csv and summary.json go.")],
    map_: Annotated[Path | None, typer.Option("--map", help="How a foreign file reads.")] = None,
    facts: Annotated[Path | None, typer.Option(help="What else happens, as CSV.")] = None,
    timezone: Annotated[str, typer.Option()] = "Europe/Paris",
    sending_time: Annotated[str, typer.Option(callback=lambda v: str(_time(v))[:5])] = "08:30",
    working_days: Annotated[str, typer.Option()] = "mon-fri",
    holidays: Annotated[str, typer.Option(help="Country, as FR or DE-BY.")] = "",
    manual_days: Annotated[
        str, typer.Option(callback=_manual_days, help="Days until owners complete, or 'never'.")
    ] = "0",
    skip_bad_rows: Annotated[bool, typer.Option("--skip-bad-rows")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the services running, to look at the runs.")
    ] = False,
) -> None:
    """Live through months of a book on the real engine before a message ever leaves."""
    from rehearsal.run import read_script

    set_up_logging("WARNING")
    script = read_script(
        book,
        plan,
        _date(from_),
        _date(until),
        book_map=map_,
        facts=facts,
        skip_bad_rows=skip_bad_rows,
        timezone=timezone,
        sending_time=_time(sending_time),
        working_days=working_days,
        holidays=holidays,
        manual_days=None if manual_days == "never" else int(manual_days),
        name=f"Rehearsal of {book.name}",
    )
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if keep:
            state = folder / "services"
        else:
            state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dunning-")))
        embedded = Embedded(
            state, durable=False, in_memory_temporal=not keep, ui_port=0 if keep else None
        )
        services = stack.enter_context(embedded)
        migrate(services.database_url)
        summary, plans = asyncio.run(_rehearse(script, services, folder))
        from rehearsal.report import as_table

        out.print(as_table(summary, plans))
        for line in summary.refused:
            err.print(f"refused: {line}", style="yellow", markup=False, highlight=False)
        out.print(
            f"{summary.actions} actions for {summary.customers} customers and {summary.invoices} "
            f"invoices in {summary.seconds:.0f} s; see {folder / 'actions.csv'}"
        )
        if rounded := sum(row.rounded for row in script.rows):
            out.print(f"{rounded} amounts of the book were rounded to their currency")
        if keep:
            out.print(f"Temporal UI {services.temporal_ui_url}, database {services.database_url}")
            out.print("Ctrl-C ends them")
            _wait_for_ctrl_c()


async def _rehearse(script: Any, services: Services, folder: Path) -> tuple[Any, list[str]]:
    from activities.temporal import connect_temporal
    from rehearsal.run import rehearse as run
    from rehearsal.run import write

    keys = load_settings().temporal_key_list
    client = await connect_temporal(services.temporal_address, keys=keys)
    with bar("rehearsing", (script.until - script.start).days + 1) as step:
        first = script.start

        def progress(at: datetime) -> None:
            step((at.date() - first).days)

        organisation_id, summary = await run(
            script, services.database_url, client, progress=progress
        )
    summary = write(services.database_url, organisation_id, summary, folder)
    return summary, [s["key"] for plan in script.plans for s in plan["steps"]]


def _wait_for_ctrl_c() -> None:
    import threading

    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        out.print("ended")
