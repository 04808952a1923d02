"""``dunning key create``, for an organisation whose admins have no working key."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select
from typer.testing import CliRunner, Result

import cli
from backoffice.people.audit import notices
from backoffice.people.keys import MEMBER, Principal, authenticate, new_key
from backoffice.people.members import put_member
from store import tables as t
from store.engine import transaction
from store.errors import Conflict, NotFound
from store.unit import Unit


@pytest.fixture
def house(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The only key of the admin Ada is revoked; Ben is a member; Cleo has left."""
    monkeypatch.setenv("DUNNING_DATABASE_URL", database_url)
    with transaction(engine) as session:
        row = t.Organisation(name="Amber & Sons")
        session.add(row)
        session.flush()
        ada = put_member(Unit(session, row.id), "ada@amber.example", "Ada", "admin")
        new_key(Unit(session, row.id), MEMBER, "lost", ada)
        put_member(Unit(session, row.id), "ben@amber.example", "Ben")
        put_member(Unit(session, row.id), "cleo@amber.example", "Cleo").active = False
        session.flush()
        session.exec(select(t.ApiKey)).one().revoked_at = datetime.now(UTC)
    return engine


def create(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["key", "create", *arguments])


def whose(session: Session, done: Result) -> Principal:
    assert done.exit_code == 0, done.output
    (key,) = (word for word in done.output.split() if word.startswith("dun_live_"))
    found = authenticate(session, key)
    assert found is not None
    return found


def test_an_admin_without_a_key_gets_a_new_one(house: Engine) -> None:
    done = create("Ada@amber.example", "--name", "found again")
    with transaction(house) as session:
        who = whose(session, done)
        assert who.member is not None
        assert (who.name, who.member.role) == ("Ada", "admin")
        (told,) = notices(Unit(session, who.member.organisation_id), who.member)
        assert (told.kind, told.by) == ("key_made", "the machine")
        assert "found again" in told.text


def test_the_option_admin_makes_the_member_an_admin(house: Engine) -> None:
    with transaction(house) as session:
        assert whose(session, create("ben@amber.example")).member.role == "member"  # type: ignore[union-attr]
        who = whose(session, create("ben@amber.example", "--admin"))
        assert (who.name, who.member.role) == ("Ben", "admin")  # type: ignore[union-attr]


def test_a_member_who_left_gets_a_key_only_as_an_admin(house: Engine) -> None:
    assert isinstance(create("cleo@amber.example").exception, Conflict)
    with transaction(house) as session:
        assert whose(session, create("cleo@amber.example", "--admin")).name == "Cleo"


def test_a_key_for_an_unknown_member_is_refused(house: Engine) -> None:
    assert isinstance(create("dora@amber.example").exception, NotFound)
    with transaction(house) as session:
        assert len(session.exec(select(t.ApiKey)).all()) == 1
