"""``dunning organisation``: organisations, their first keys, and the keys that seal."""

from __future__ import annotations

from typing import Annotated

import typer

from backoffice.people.keys import BILLING, MEMBER, new_key
from backoffice.people.members import put_member
from backoffice.people.provider_accounts import seal_anew
from backoffice.people.vault import Vault, new_secret_key
from commands.console import out
from commands.target import database_session
from logs import set_up_logging
from settings import load_settings
from store import tables as t
from store.unit import Unit

app = typer.Typer(no_args_is_help=True, help="Organisations and their first keys.")


@app.command("secret-key")
def secret_key() -> None:
    """Make a key for DUNNING_SECRET_KEYS, which seals the organisations' accounts at providers."""
    out.print(new_secret_key(), highlight=False)


@app.command("seal-anew")
def seal() -> None:
    """Seal all accounts with the newest of DUNNING_SECRET_KEYS; then the old ones can go."""
    settings = load_settings()
    with database_session(settings) as session:
        count = seal_anew(session, Vault(settings.secret_key_list))
    out.print(f"{count} accounts sealed anew")


@app.command("create")
def create(
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
    set_up_logging("WARNING")
    with database_session(load_settings(), migrated=True) as session:
        row = t.Organisation(name=name, timezone=timezone)
        session.add(row)
        session.flush()
        unit = Unit(session, row.id)
        admin = put_member(unit, admin_email, admin_name, "admin")
        keys = {
            admin_name: new_key(unit, MEMBER, admin_name, admin),
            "billing system": new_key(unit, BILLING, "billing system"),
        }
    out.print(f"organisation {name}: {row.id}")
    for who, key in keys.items():
        out.print(f"  {who}: {key}", highlight=False)
