"""Creates and drops databases of an embedded PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

DATABASE = "dunning"


def create_database(url: str, name: str, template: str | None = None) -> str:
    """Creates a database on the server of `url`, as a copy of `template` if given.

    The template must have no connections. Returns the URL of the new database.
    """
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template:
        statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
    with _administration(url) as connection:
        connection.execute(statement)
    return url.replace(f"/{DATABASE}?", f"/{quote(name)}?")


def drop_database(url: str, name: str) -> None:
    """Drop a database if it exists; open connections to it are closed."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with _administration(url) as connection:
        connection.execute(statement)


@contextlib.contextmanager
def _administration(url: str) -> Iterator[psycopg.Connection[Any]]:
    admin = url.replace(f"/{DATABASE}?", "/postgres?").replace("+psycopg", "")
    with psycopg.connect(admin, autocommit=True) as connection:
        yield connection
