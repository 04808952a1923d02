"""pyproject.toml, the changelog, the API and the command line have the same version."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from typer.testing import CliRunner

import cli
from api.app import create_app
from dunning import __version__
from settings import Settings
from store.engine import connect

ROOT = Path(__file__).parents[1]


def test_pyproject_has_the_version_of_the_product() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__


def test_the_newest_release_of_the_changelog_is_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)[:2] == ["Unreleased", __version__]


def test_the_api_shows_the_version_of_the_product() -> None:
    app = create_app(Settings(), connect("postgresql+psycopg://nowhere/nothing"))
    assert app.openapi()["info"]["version"] == __version__


def test_the_command_line_shows_the_version_of_the_product() -> None:
    assert CliRunner().invoke(cli.app, ["--version"]).output == f"dunning {__version__}\n"


def test_the_licence_file_is_the_licence_that_pyproject_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert (
        "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text()
    )
