"""An organisation keeps one admin with a valid key."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlmodel import select

from backoffice.people.keys import MEMBER, new_key
from backoffice.people.members import put_member
from stand_ins.office import Caller, Office
from store import tables as t
from store.engine import transaction
from store.unit import Unit

ADA, BEN = "/members/ada@amber.example", "/members/ben@amber.example"
MEMBER_BODY = {"name": "X", "role": "member"}


def key_id(caller: Caller) -> str:
    return caller.headers["Authorization"].split("_")[2]


def another_admin(office: Office) -> Caller:
    """Ben is an admin too, with his one key."""
    office.ada.does("PUT", BEN, {"name": "Ben", "role": "admin"})
    return office.ben


def test_the_last_key_of_an_admin_cannot_be_revoked(office: Office) -> None:
    told = office.ada.fails(409, "DELETE", f"/keys/{key_id(office.ada)}")
    assert "POST /v1/me/keys" in told["detail"]
    made = office.ada.does("POST", "/me/keys")
    office.ada.does("DELETE", f"/keys/{key_id(office.ada)}")
    office.caller(made["key"]).fails(409, "DELETE", f"/keys/{made['id']}")
    office.ben.does("DELETE", f"/keys/{key_id(office.ben)}")  # the last one, but no admin's


def test_the_key_of_another_admin_is_enough(office: Office) -> None:
    another_admin(office).does("DELETE", f"/keys/{key_id(office.ada)}")
    office.ben.fails(409, "DELETE", f"/keys/{key_id(office.ben)}")


@pytest.mark.parametrize("lost", ["expired", "revoked", "left", "none yet"])
def test_a_key_that_is_no_longer_valid_does_not_count(office: Office, lost: str) -> None:
    with transaction(office.engine) as session:
        dora = put_member(Unit(session, office.id), "dora@amber.example", "Dora", "admin")
        if lost != "none yet":
            new_key(Unit(session, office.id), MEMBER, "old", dora)
            session.flush()
            key = session.exec(select(t.ApiKey).where(t.ApiKey.member_id == dora.id)).one()
            before = datetime.now(UTC) - timedelta(seconds=1)
            if lost == "expired":
                key.expires_at = before
            elif lost == "revoked":
                key.revoked_at = before
            else:
                dora.active = False
    office.ada.fails(409, "DELETE", f"/keys/{key_id(office.ada)}")
    told = office.ada.fails(409, "DELETE", ADA)
    assert "invitations" in told["detail"]
    office.ada.fails(409, "PUT", ADA, MEMBER_BODY)
    office.ada.get("/me")


def test_an_expired_key_of_an_admin_can_be_revoked(office: Office) -> None:
    made = office.ada.does("POST", "/me/keys")
    with transaction(office.engine) as session:
        session.get_one(t.ApiKey, made["id"]).expires_at = datetime.now(UTC) - timedelta(1)
    office.ada.does("DELETE", f"/keys/{made['id']}")


ATTACKS: dict[str, Callable[[Caller, Caller, str], Any]] = {
    "remove": lambda by, _, address: by("DELETE", address),
    "demote": lambda by, _, address: by("PUT", address, json=MEMBER_BODY),
    "revoke": lambda by, whose, _: by("DELETE", f"/keys/{key_id(whose)}"),
}


@pytest.mark.parametrize("first", ATTACKS)
@pytest.mark.parametrize("second", ATTACKS)
def test_of_two_admins_who_shut_each_other_out_at_once_one_stays(
    office: Office, first: str, second: str
) -> None:
    another_admin(office)
    ready = Barrier(2)

    def attack(how: str, by: Caller, whose: Caller, address: str) -> int:
        ready.wait()
        status: int = ATTACKS[how](by, whose, address).status_code
        return status

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(attack, first, office.ada, office.ben, BEN)
        other = pool.submit(attack, second, office.ben, office.ada, ADA)
        answers = {one.result(), other.result()}
    assert answers <= {200, 204, 401, 403, 404, 409}
    still = [by for by in (office.ada, office.ben) if by("GET", "/organisation").is_success]
    assert [by for by in still if by.get("/me")["role"] == "admin"], answers
