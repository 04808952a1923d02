"""How other commands on this machine find a running ``dunning serve``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import psycopg

from local.standalone import Services, StandaloneError
from settings import Settings


@contextmanager
def noted(state: Path, services: Services, api: str) -> Iterator[None]:
    """Until the block ends, other commands find the services, and the API at ``api``."""
    _file(state).write_text(json.dumps({**asdict(services), "api": api}), "utf-8")
    try:
        yield
    finally:
        _file(state).unlink(missing_ok=True)


def running_api(state: Path) -> str:
    """The address of the API. Raises StandaloneError if none runs on this state directory."""
    try:
        return str(json.loads(_file(state).read_text("utf-8"))["api"])
    except (OSError, ValueError, KeyError):
        raise StandaloneError("no API runs here: start `dunning serve`") from None


def running_services(settings: Settings) -> Services | None:
    """None unless a ``dunning serve`` runs on this state directory and its database answers."""
    with suppress(OSError, ValueError, TypeError, psycopg.Error):
        found = json.loads(_file(settings.state_dir).read_text("utf-8"))
        found.pop("api", None)
        services = Services(**found)
        url = services.database_url.replace("postgresql+psycopg://", "postgresql://")
        psycopg.connect(url, connect_timeout=2).close()
        return services
    return None


def _file(state: Path) -> Path:
    return state / "services.json"
