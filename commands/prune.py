"""``dunning prune``: the nightly pruning, by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from commands.console import out
from commands.target import database
from logs import set_up_logging
from settings import load_settings
from store.engine import connect


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
    with database(settings) as url:
        engine = connect(url, pool_size=1)
        ages = Ages(**settings.prune_days)
        done = run(engine, ages, datetime.now(UTC), settings.outbox, dry_run=dry_run)
        engine.dispose()
    for name, count in done.items():
        out.print(f"{count:10,}  {name}", highlight=False)
    out.print("nothing was deleted" if dry_run else "deleted", highlight=False)
