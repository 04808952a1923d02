"""``dunning db``: the database and its migrations."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typer
from alembic.util.exc import CommandError

from commands.console import out
from commands.target import database
from local.standalone import Embedded
from logs import set_up_logging
from settings import load_settings
from store.engine import check_migrations
from store.engine import migrate as run
from store.errors import DunningError

app = typer.Typer(no_args_is_help=True, help="The database and its migrations.")


@app.command("migrate")
def migrate() -> None:
    """Bring the database to the newest migration."""
    set_up_logging("INFO")
    with database(load_settings()) as url:
        run(url)


@app.command("check")
def check() -> None:
    """Fail where the tables and the migrations differ; on a database of its own."""
    set_up_logging("WARNING")
    with (
        tempfile.TemporaryDirectory(prefix="dunning-") as folder,
        Embedded(Path(folder), temporal=None, durable=False) as services,
    ):
        run(services.database_url)
        try:
            check_migrations(services.database_url)
        except CommandError as e:
            raise DunningError(str(e)) from None
    out.print("the migrations make the tables as store/tables says")
