"""``dunning``: the commands of `commands/` under their names, and the exit code of an error."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer
from sqlalchemy.exc import OperationalError
from temporalio.service import RPCError

from activities.services import ServiceEnded
from commands import db, key, organisation, outbox, plan, temporal
from commands.console import out, warn
from commands.import_book import import_book
from commands.map import write as write_map
from commands.prune import prune
from commands.rehearse import rehearse
from commands.serve import serve
from dunning import __version__
from local.embedded.private import write_for_us_alone
from local.standalone import StandaloneError
from store.errors import DunningError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(serve)
app.command()(rehearse)
app.command("import")(import_book)
app.command("map")(write_map)
app.command()(prune)
app.add_typer(outbox.app, name="outbox")
app.add_typer(db.app, name="db")
app.add_typer(temporal.app, name="temporal")
app.add_typer(plan.app, name="plan")
app.add_typer(organisation.app, name="organisation")
app.add_typer(key.app, name="key")


def _show_version(wanted: bool) -> None:
    if wanted:
        out.print(f"dunning {__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Reminders of unpaid invoices: serve, rehearse, import, and the operator's commands."""


def main() -> None:
    """Exit code 1 for input that makes no sense, 2 for a service that does not answer."""
    write_for_us_alone()
    try:
        app()
    except (DunningError, ValueError) as e:
        _end(e, 1)
    except (StandaloneError, ServiceEnded, OperationalError, RPCError, OSError) as e:
        _end(e, 2)


def _end(error: BaseException, code: int) -> NoReturn:
    text = str(error.orig) if isinstance(error, OperationalError) else str(error)
    warn(f"dunning: {text.strip()}", style="red")
    for problem in getattr(error, "errors", [])[:50]:
        warn(f"  {problem.where}: {problem.reason}")
    sys.exit(code)
