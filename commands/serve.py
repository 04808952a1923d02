"""``dunning serve``: everything on this machine."""

from __future__ import annotations

from commands.console import out
from settings import load_settings


def serve() -> None:
    """Start everything on this machine: PostgreSQL, Temporal with its UI, worker, relay, API."""
    from local.serve import serve as run

    run(load_settings(), out)
