"""``dunning key``: makes a key when no admin has one that works."""

from __future__ import annotations

from typing import Annotated

import typer

from backoffice.people.keys import make_key_on_the_machine
from backoffice.people.members import member_or_404, put_member
from commands.console import say
from commands.target import Organisation, database_session, organisation_id_of
from logs import set_up_logging
from settings import load_settings
from store.unit import Unit

app = typer.Typer(no_args_is_help=True, help="Keys, for when no admin has one.")


@app.command("create")
def create(
    member: Annotated[str, typer.Argument(help="E-mail address.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "made on the machine",
    admin: Annotated[
        bool, typer.Option("--admin", help="Make the member an admin, and let one who left back.")
    ] = False,
    organisation: Organisation = None,
) -> None:
    """Make a key for a member and print it once: for when no admin has a good one. The member is
    shown that it was made."""
    set_up_logging("WARNING")
    with database_session(load_settings()) as session:
        unit = Unit(session, organisation_id_of(session, organisation))
        row = member_or_404(unit, member)
        if admin:
            row = put_member(unit, row.email, row.name, "admin")
        key = make_key_on_the_machine(unit, row, name)
        words = f"{row.name}, {row.role}: {key}"
    say(words)
