"""``dunning``: serve, rehearse, import, plan, key, db and more; each says what it did."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from alembic.util.exc import CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select
from temporalio.service import RPCError

from activities.services import ServiceEnded
from backoffice.people.credentials import Vault, new_secret_key, seal_anew
from backoffice.people.members import (
    BILLING,
    MEMBER,
    make_key_on_the_machine,
    member_or_404,
    new_key,
    put_member,
)
from backoffice.people.plans import put_plan
from books.map import BookError
from books.reading import Unreadable, read_toml
from local.embedded.private import write_for_us_alone
from local.standalone import Embedded, Services, StandaloneError
from logs import set_up_logging
from messages.render import check_texts
from providers.outbox import SIMULATED
from settings import Settings, SettingsError, load_settings
from store import tables as t
from store.engine import check_migrations, connect, migrate, transaction
from store.errors import DunningError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
db_app = typer.Typer(no_args_is_help=True, help="The database and its migrations.")
plan_app = typer.Typer(no_args_is_help=True, help="Dunning plans.")
temporal_app = typer.Typer(no_args_is_help=True, help="Temporal: its search attributes and keys.")
organisation_app = typer.Typer(no_args_is_help=True, help="Organisations and their first keys.")
key_app = typer.Typer(no_args_is_help=True, help="Keys, for when no admin has one.")
outbox_app = typer.Typer(no_args_is_help=True, help="What channels without a provider would send.")
app.add_typer(outbox_app, name="outbox")
app.add_typer(db_app, name="db")
app.add_typer(temporal_app, name="temporal")
app.add_typer(plan_app, name="plan")
app.add_typer(organisation_app, name="organisation")
app.add_typer(key_app, name="key")

out = Console()
err = Console(stderr=True)


def main() -> None:
    """Exit code 1 for input that makes no sense, 2 for a service that is not there."""
    write_for_us_alone()
    try:
        app()
    except (DunningError, ValueError) as e:
        _end(e, 1)
    except (StandaloneError, ServiceEnded, OperationalError, RPCError, OSError) as e:
        _end(e, 2)


def _end(error: BaseException, code: int) -> NoReturn:
    text = str(error.orig) if isinstance(error, OperationalError) else str(error)
    err.print(
        f"dunning: {text.strip()}", style="red", markup=False, highlight=False, soft_wrap=True
    )
    for problem in getattr(error, "errors", [])[:50]:
        err.print(
            f"  {problem.where}: {problem.reason}", markup=False, highlight=False, soft_wrap=True
        )
    sys.exit(code)


@app.command()
def serve() -> None:
    """Start everything on this machine: PostgreSQL, Temporal with its UI, worker, relay, API."""
    from local.serve import serve as run

    run(load_settings(), out)


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


@app.command()
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
    with _bar("rehearsing", (script.until - script.start).days + 1) as step:
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


@contextmanager
def _bar(words: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on the terminal; nothing but the last line where there is none."""
    columns = (TextColumn(words), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=False) as progress:
        task = progress.add_task(words, total=total)
        yield lambda done: progress.update(task, completed=done)
        progress.update(task, completed=total)


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    """The configured database, that of a running ``dunning serve``, or else the embedded one."""
    from local.serve import running_services

    running = running_services(settings)
    if settings.database_url is not None:
        yield settings.require_database_url()
    elif running is not None:
        yield running.database_url
    else:
        with Embedded(settings.state_dir, temporal=False) as services:
            yield services.database_url


def _organisation_id(session: Any, name: str | None) -> Any:
    statement = select(t.Organisation).where(t.Organisation.rehearsal_now == None)  # noqa: E711
    found = session.exec(statement).all()
    if name is not None:
        found = [o for o in found if name in (o.name, str(o.id))]
    if len(found) != 1:
        names = ", ".join(repr(o.name) for o in found) or "none"
        raise DunningError(f"name one organisation with --organisation; there are: {names}")
    return found[0].id


_Organisation = Annotated[str | None, typer.Option("--organisation", help="Name or id.")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="Invoices as CSV.")],
    map_: Annotated[Path | None, typer.Option("--map", help="How a foreign file reads.")] = None,
    skip_bad_rows: Annotated[bool, typer.Option("--skip-bad-rows")] = False,
    organisation: _Organisation = None,
) -> None:
    """Import a book of invoices: all that is valid goes in, or nothing."""
    from backoffice.ledger.imports import import_book
    from books.causes import by_cause
    from books.map import read_map

    settings = load_settings()
    set_up_logging("WARNING")
    book_map = read_map(map_.read_bytes()) if map_ else None
    size = file.stat().st_size
    with _database(settings) as url, _bar("importing", size * 2) as step:
        migrate(url)
        engine = connect(url, pool_size=2)
        with transaction(engine) as session:
            organisation_id = _organisation_id(session, organisation)
        report = import_book(
            engine, organisation_id, lambda: file.open("rb"), book_map, skip_bad_rows, step
        )
        engine.dispose()
    for line in by_cause(report.causes, file.name):
        err.print(line, style="yellow", markup=False, highlight=False, soft_wrap=True)
    if report.bad_count and not skip_bad_rows:
        raise DunningError(
            f"{report.bad_count} bad rows: nothing was imported; mend them, or leave them out "
            "with --skip-bad-rows"
        )
    out.print(
        f"{report.customers} customers, {report.invoices} invoices, {report.payments} payments; "
        f"{report.unchanged} unchanged, {report.bad_count} bad rows left out"
        + (f"; {report.rounded} amounts rounded" if report.rounded else "")
    )


@app.command("map")
def map_(
    file: Annotated[Path, typer.Argument(help="Invoices as CSV, in anybody's form.")],
    to: Annotated[Path | None, typer.Option("--out", help="MAP.toml; else the terminal.")] = None,
) -> None:
    """Write a map for a foreign file, guessed from its headers and samples; asks on a terminal
    where it is not sure. Then reads the file with it and says what is still wrong."""
    from books.causes import by_cause
    from books.map_text import write_map
    from commands.map import ask_on_terminal, checked, guessed

    if to is not None and to.exists():
        raise ValueError(f"{to} is there already; name another file, or remove it")

    def say(text: str) -> None:
        err.print(text, markup=False, highlight=False, soft_wrap=True)

    there = sys.stdin.isatty() and sys.stderr.isatty()
    found = guessed(file, ask_on_terminal(say, input) if there else None)
    text = write_map(found, file.name)
    if to is None:
        sys.stdout.write(text)
    else:
        to.write_text(text, "utf-8")
    if found.plain:
        say("the file is in our own form: it needs no map")
    if found.doubts:
        say(f"in doubt, look at its comments: {', '.join(found.doubts)}")
    try:
        rows, rounded, causes = checked(file, text)
    except BookError as e:
        say(f"the map is not complete: {e}")
        return
    more = f", {rounded:,} of them rounded" if rounded else ""
    say(f"read with this map: {rows:,} rows are good{more}")
    for line in by_cause(causes, file.name):
        say(f"  {line}")


@plan_app.command("load")
def plan_load(files: list[Path], organisation: _Organisation = None) -> None:
    """Load plans from TOML files; a changed one becomes a new version (rule 43)."""
    settings = load_settings()
    set_up_logging("WARNING")
    with _database(settings) as url:
        migrate(url)
        engine = connect(url, pool_size=2)
        with transaction(engine) as session:
            organisation_id = _organisation_id(session, organisation)
            for file in files:
                try:
                    data = read_toml(file.read_bytes())
                except Unreadable as e:
                    raise DunningError(f"{file}: {e}") from None
                version, change = put_plan(session, organisation_id, data, check_texts)
                out.print(f"{data['name']}: {change}, version {version.version}")
        engine.dispose()


def _event(text: str) -> str:
    if text not in SIMULATED:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(SIMULATED)}")
    return text


@outbox_app.command("list")
def outbox_list(limit: Annotated[int, typer.Option(min=1, max=1000)] = 20) -> None:
    """The newest messages, with the id that `simulate` takes."""
    with _database(load_settings()) as url, transaction(connect(url)) as session:
        rows = session.exec(
            select(t.OutboxMessage).order_by(col(t.OutboxMessage.seq).desc()).limit(limit)
        ).all()
    for row in rows:
        to = ", ".join(r["address"].splitlines()[0] for r in row.recipients)
        words = row.subject or row.text[:60].replace("\n", " ")
        out.print(f"{row.delivery_id}  {row.at:%Y-%m-%d %H:%M}  {row.channel}  {to}  {words}",
                  markup=False, highlight=False, soft_wrap=True)  # fmt: skip


@outbox_app.command("simulate")
def outbox_simulate(
    event: Annotated[str, typer.Argument(callback=_event, help=", ".join(SIMULATED))],
    delivery: Annotated[str, typer.Argument(help="Its id, or `last`.")] = "last",
) -> None:
    """Report what became of a message in the outbox: a signed callback to the running API, on the
    same way as a provider's."""
    from local.serve import report_simulated

    settings = load_settings()
    if delivery == "last":
        with _database(settings) as url, transaction(connect(url)) as session:
            found = session.exec(
                select(t.OutboxMessage).order_by(col(t.OutboxMessage.seq).desc()).limit(1)
            ).first()
        if found is None:
            raise ValueError("the outbox is empty")
        delivery = str(found.delivery_id)
    report_simulated(settings, delivery, event)
    out.print(f"reported: {event} of {delivery}", highlight=False)


@organisation_app.command("secret-key")
def organisation_secret_key() -> None:
    """Make a key for DUNNING_SECRET_KEYS, which seals the organisations' accounts at providers."""
    out.print(new_secret_key(), highlight=False)


@organisation_app.command("seal-anew")
def organisation_seal_anew() -> None:
    """Seal all accounts with the newest of DUNNING_SECRET_KEYS; then the old ones can go."""
    settings = load_settings()
    with _database(settings) as url, transaction(connect(url)) as session:
        count = seal_anew(session, Vault(settings.secret_key_list))
    out.print(f"{count} accounts sealed anew")


@organisation_app.command("create")
def organisation_create(
    name: str,
    admin_email: Annotated[str, typer.Option()],
    admin_name: Annotated[str, typer.Option()] = "Admin",
    timezone: Annotated[str, typer.Option()] = "Europe/Paris",
) -> None:
    """Make an organisation with its first admin; prints the admin's and a billing key, once."""
    from api.http.fields import EMAIL
    from store.calendars import check_zone

    check_zone(timezone)
    if not EMAIL.fullmatch(admin_email):
        raise ValueError(f"{admin_email!r} is not an e-mail address")
    settings = load_settings()
    set_up_logging("WARNING")
    with _database(settings) as url:
        migrate(url)
        engine = connect(url, pool_size=2)
        with transaction(engine) as session:
            row = t.Organisation(name=name, timezone=timezone)
            session.add(row)
            session.flush()
            admin = put_member(session, row.id, admin_email, admin_name, "admin")
            keys = {
                admin_name: new_key(session, row.id, MEMBER, admin_name, admin),
                "billing system": new_key(session, row.id, BILLING, "billing system"),
            }
        engine.dispose()
    out.print(f"organisation {name}: {row.id}")
    for who, key in keys.items():
        out.print(f"  {who}: {key}", highlight=False)


@key_app.command("create")
def key_create(
    member: Annotated[str, typer.Argument(help="E-mail address.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "made on the machine",
    admin: Annotated[
        bool, typer.Option("--admin", help="Make the member an admin, and let one who left back.")
    ] = False,
    organisation: _Organisation = None,
) -> None:
    """Make a key for a member and print it once: for when no admin has a good one. The member is
    shown that it was made."""
    settings = load_settings()
    set_up_logging("WARNING")
    with _database(settings) as url:
        engine = connect(url, pool_size=2)
        with transaction(engine) as session:
            organisation_id = _organisation_id(session, organisation)
            row = member_or_404(session, organisation_id, member)
            if admin:
                row = put_member(session, organisation_id, row.email, row.name, "admin")
            key = make_key_on_the_machine(session, row, name)
            words = f"{row.name}, {row.role}: {key}"
        engine.dispose()
    out.print(words, markup=False, highlight=False, soft_wrap=True)


@app.command()
def prune(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Delete nothing; say how many it would be.")
    ] = False,
) -> None:
    """Delete what is old and needed by nobody, as DUNNING_PRUNE_…_DAYS say. The worker does it
    every night; files of the outbox are deleted on the machine on which this runs."""
    from backoffice.pruning.daily import Ages
    from backoffice.pruning.daily import prune as run

    settings = load_settings()
    set_up_logging("WARNING")
    with _database(settings) as url:
        engine = connect(url, pool_size=1)
        ages = Ages(**settings.prune_days)
        done = run(engine, ages, datetime.now(UTC), settings.outbox, dry_run=dry_run)
        engine.dispose()
    for name, count in done.items():
        out.print(f"{count:10,}  {name}", highlight=False)
    out.print("nothing was deleted" if dry_run else "deleted", highlight=False)


@db_app.command("migrate")
def db_migrate() -> None:
    """Bring the database to the newest migration."""
    set_up_logging("INFO")
    with _database(load_settings()) as url:
        migrate(url)


@db_app.command("check")
def db_check() -> None:
    """Fail where the tables and the migrations differ; on a database of its own."""
    set_up_logging("WARNING")
    with (
        tempfile.TemporaryDirectory(prefix="dunning-") as folder,
        Embedded(Path(folder), temporal=False, durable=False) as services,
    ):
        migrate(services.database_url)
        try:
            check_migrations(services.database_url)
        except CommandError as e:
            raise DunningError(str(e)) from None
    out.print("the migrations make the tables as store/tables says")


__all__ = ["SettingsError", "app", "main"]


@temporal_app.command("prepare")
def temporal_prepare() -> None:
    """Register the search attributes that the namespace lacks; those it has stay."""
    from activities.attributes import register
    from activities.temporal import connect_temporal

    async def run() -> tuple[str, list[str]]:
        client = await connect_temporal()
        return client.namespace, await register(client)

    namespace, added = asyncio.run(run())
    words = f"registered {', '.join(added)}" if added else "every search attribute is there"
    out.print(f"namespace {namespace}: {words}", markup=False, highlight=False)


@temporal_app.command("key")
def temporal_key() -> None:
    """Make a key for DUNNING_TEMPORAL_KEYS."""
    out.print(new_secret_key(), markup=False, highlight=False)


@temporal_app.command("codec")
def temporal_codec(
    ui: Annotated[
        list[str] | None,
        typer.Option(help="Where browsers open the Temporal UI; may be repeated."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Another address than loopback needs a proxy that asks who it is.")
    ] = "127.0.0.1",
) -> None:
    """Decrypt for the Temporal UI and the `temporal` command, until Ctrl-C. Asks for no password.

    Without --ui: http://127.0.0.1 at DUNNING_TEMPORAL_UI_PORT.
    """
    from activities.codec import answering, codec_app, origins_of
    from local.embedded.processes import take_port

    settings = load_settings()
    set_up_logging(settings.log_level, json_lines=settings.log_json)
    if not settings.temporal_key_list:
        raise SettingsError("DUNNING_TEMPORAL_KEYS is not set: there is nothing to decrypt with")
    pages = ui or [f"http://127.0.0.1:{settings.temporal_ui_port}"]
    origins = [origin for url in pages for origin in origins_of(url)]
    endpoint = codec_app(settings.temporal_key_list, origins)
    port = take_port(settings.codec_port, "DUNNING_CODEC_PORT")

    async def run() -> None:
        async with answering(endpoint, host, port):
            out.print(f"codec endpoint http://{host}:{port}", markup=False, highlight=False)
            await asyncio.Event().wait()

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        out.print("ended")
