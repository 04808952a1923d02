"""The database and the organisation that a command works on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlmodel import Session, select

from dunning.ids import OrganisationId
from local.standalone import Embedded
from settings import Settings
from store import tables as t
from store.engine import connect, migrate, transaction
from store.errors import DunningError

Organisation = Annotated[str | None, typer.Option("--organisation", help="Name or id.")]


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The configured database, that of a running ``dunning serve``, or else the embedded one."""
    from local.running import running_services

    running = running_services(settings)
    if settings.database_url is not None:
        yield settings.require_database_url()
    elif running is not None:
        yield running.database_url
    else:
        with Embedded(settings.state_dir, temporal=None) as services:
            yield services.database_url


@contextmanager
def database_session(settings: Settings, *, migrated: bool = False) -> Iterator[Session]:
    """One transaction on that database. ``migrated``: upgrade it to the newest migration first."""
    with database(settings) as url:
        if migrated:
            migrate(url)
        engine = connect(url, pool_size=1)
        try:
            with transaction(engine) as session:
                yield session
        finally:
            engine.dispose()


def organisation_id_of(session: Session, name: str | None) -> OrganisationId:
    """The organisation with this name or id; None works if there is only one.

    Raises DunningError if none or several match. Rehearsals are left out.
    """
    statement = select(t.Organisation).where(t.Organisation.rehearsal_now == None)  # noqa: E711
    found = session.exec(statement).all()
    if name is not None:
        found = [o for o in found if name in (o.name, str(o.id))]
    if len(found) != 1:
        names = ", ".join(repr(o.name) for o in found) or "none"
        raise DunningError(f"name one organisation with --organisation; there are: {names}")
    return found[0].id
