"""Time zones and holidays that an organisation may have."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from typer.testing import CliRunner

import cli
from rehearsal.script import Files, RehearsalError, read_script
from store import tables as t
from store.calendars import CalendarError, calendar_of, check_zone, public_holidays
from store.engine import transaction

NO_ZONES = [
    *("localtime", "Factory", "posixrules", "posix/Europe/Paris", "right/Europe/Paris", ""),
    *("/etc/localtime", "../Europe/Paris", "europe/paris", "EUROPE/PARIS", "Europe", "utc"),
    *("Europe/Paris\n", " Europe/Paris", "zone.tab", "a\x00b", "\ud800"),
]


@pytest.mark.parametrize("name", NO_ZONES)
def test_only_names_of_the_iana_database_are_accepted_as_time_zones(name: str) -> None:
    with pytest.raises(CalendarError, match="IANA"):
        check_zone(name)


def test_the_error_for_a_zone_in_wrong_case_names_its_spelling() -> None:
    with pytest.raises(CalendarError, match="write 'America/New_York'"):
        check_zone("america/new_york")
    for name in ("America/New_York", "Asia/Kolkata", "UTC", "Etc/GMT+5"):
        check_zone(name)


@pytest.mark.parametrize("name", ["localtime", "Factory", "europe/paris"])
def test_the_command_and_a_rehearsal_refuse_the_same_zones(name: str, tmp_path: Path) -> None:
    arguments = ["organisation", "create", "X", "--admin-email", "a@x.example", "--timezone", name]
    assert isinstance(CliRunner().invoke(cli.app, arguments).exception, CalendarError)
    with pytest.raises(RehearsalError, match="IANA"):
        read_script(Files(tmp_path, []), date(2025, 1, 1), date(2025, 1, 2), timezone=name)


def test_a_stored_time_zone_is_read_without_a_check(engine: Engine) -> None:
    with transaction(engine) as session:
        session.add(t.Organisation(name="Amber & Sons", timezone="Factory"))
        session.flush()
        assert str(calendar_of(session.exec(select(t.Organisation)).one()).zone) == "Factory"


@pytest.mark.parametrize("code", ["APR", "CATHOLIC", "MON", "SPECIAL", "XX", "FR-99", "", "-BY"])
def test_an_unknown_country_or_subdivision_is_refused(code: str) -> None:
    with pytest.raises(CalendarError):
        public_holidays(code)


@pytest.mark.parametrize("code", ["FR", "de-by", "GBR", "XECB"])
def test_holidays_are_known_for_countries_subdivisions_and_markets(code: str) -> None:
    assert date(2025, 12, 25) in public_holidays(code)
