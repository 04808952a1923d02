"""``dunning organisation invite``: for the admin who has lost every key."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from typer.testing import CliRunner

import cli
from db import tables as t
from db.engine import transaction
from db.invitations import exchange
from db.members import authenticate, put_member


def test_the_machine_itself_invites_a_member(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUNNING_DATABASE_URL", database_url)
    with transaction(engine) as session:
        house = t.Organisation(name="Amber & Sons")
        session.add(house)
        session.flush()
        put_member(session, house.id, "ada@amber.example", "Ada", "admin")
    done = CliRunner().invoke(cli.app, ["organisation", "invite", "Ada@amber.example"])
    assert done.exit_code == 0, done.output
    (token,) = (word for word in done.output.split() if word.startswith("dun_invitation_"))
    with transaction(engine) as session:
        who = authenticate(session, exchange(session, token, "laptop"))
        assert who is not None
        assert who.name == "Ada"
        made = session.exec(select(t.AuditEntry.by).order_by(t.AuditEntry.id)).first()  # type: ignore[arg-type]
        assert made == "the machine"
