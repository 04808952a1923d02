"""``dunning plan``: plans from TOML files."""

from __future__ import annotations

from pathlib import Path

import typer

from backoffice.people.plans import put_plan
from books.reading import Unreadable, read_toml
from commands.console import out
from commands.target import Organisation, database_session, organisation_id_of
from logs import set_up_logging
from messages.check import check_texts
from settings import load_settings
from store.errors import DunningError
from store.unit import Unit

app = typer.Typer(no_args_is_help=True, help="Dunning plans.")


@app.command("load")
def load(files: list[Path], organisation: Organisation = None) -> None:
    """Load plans from TOML files; a changed one becomes a new version (rule 43)."""
    set_up_logging("WARNING")
    with database_session(load_settings(), migrated=True) as session:
        organisation_id = organisation_id_of(session, organisation)
        for file in files:
            try:
                data = read_toml(file.read_bytes())
            except Unreadable as e:
                raise DunningError(f"{file}: {e}") from None
            version, change = put_plan(Unit(session, organisation_id), data, check_texts)
            out.print(f"{data['name']}: {change}, version {version.version}")
