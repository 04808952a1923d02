"""A member exchanges an invitation for a key, once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import select

from stand_ins.office import Office
from store import tables as t
from store.engine import transaction

EXCHANGE = "/invitations/exchange"


def invited(office: Office, who: str = "ben@amber.example") -> str:
    made = office.ada.does("POST", f"/members/{who}/invitations")
    return str(made["token"])


def key_of(office: Office, token: str, name: str = "laptop") -> str:
    made = office.caller(None).does("POST", EXCHANGE, {"token": token, "name": name})
    return str(made["key"])


def refused(office: Office, token: str) -> dict[str, Any]:
    problem = office.caller(None).fails(404, "POST", EXCHANGE, {"token": token})
    assert token not in str(problem)
    return dict(problem)


def about(office: Office, who: Any) -> list[str]:
    return [f"{e['kind']}: {e['text']}" for e in who.get("/audit")["items"]]


def test_an_admin_can_make_no_key_for_another_member(office: Office) -> None:
    office.ada.fails(404, "POST", "/members/ben@amber.example/keys", {})
    assert [k["member_id"] for k in office.ben.get("/keys")["items"]] == [office.ids["Ben"]]


def test_an_invitation_is_exchanged_for_a_key_of_that_member(office: Office) -> None:
    office.ada.does("PUT", "/members/dora@amber.example", {"name": "Dora"})
    made = office.ada.does("POST", "/members/dora@amber.example/invitations")
    assert made["token"].startswith("dun_invitation_")
    assert len(made["token"].removeprefix("dun_invitation_")) == 43  # 256 bits in base 64
    dora = office.caller(key_of(office, made["token"]))
    assert dora.get("/me")["name"] == "Dora"
    with transaction(office.engine) as session:
        mine = select(t.Invitation).where(t.Invitation.organisation_id == office.id)
        (row,) = session.exec(mine).all()
        assert made["token"].removeprefix("dun_invitation_") not in repr(
            row
        )  # its hash alone is kept


def test_an_invitation_works_once(office: Office) -> None:
    token = invited(office)
    key_of(office, token)
    refused(office, token)
    assert len(office.ben.get("/keys")["items"]) == 2


def test_a_stranger_cannot_tell_why_an_invitation_is_refused(office: Office) -> None:
    used, replaced, expired, left = (
        invited(office),
        invited(office, "cleo@amber.example"),
        "",
        "",
    )
    key_of(office, used)
    invited(office, "cleo@amber.example")  # takes the place of the one before
    expired = invited(office)
    with transaction(office.engine) as session:
        session.connection().execute(
            sa.update(t.Invitation)
            .where(sa.column("member_id") == sa.literal(office.ids["Ben"], sa.Uuid(as_uuid=False)))
            .values(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        )
    office.ada.does("PUT", "/members/dora@amber.example", {"name": "Dora"})
    left = invited(office, "dora@amber.example")
    office.ada.does("DELETE", "/members/dora@amber.example")
    unknown = "dun_invitation_" + "A" * 43
    told = [
        refused(office, token) for token in (used, replaced, expired, left, unknown, "nonsense")
    ]
    assert told == [told[0]] * 6


def test_of_two_who_exchange_it_at_once_one_gets_a_key(office: Office) -> None:
    token = invited(office)
    ready = threading.Barrier(2)

    def exchange() -> int:
        ready.wait()
        body = {"token": token}
        return office.caller(None)("POST", EXCHANGE, json=body).status_code

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(f.result() for f in [pool.submit(exchange), pool.submit(exchange)])
    assert answers == [201, 404]
    assert len(office.ben.get("/keys")["items"]) == 2


def test_a_good_invitation_is_exchanged_however_many_bad_ones_others_sent(office: Office) -> None:
    token = invited(office)
    for number in range(25):
        refused(office, f"dun_invitation_{number}")
    assert office.caller(None)("POST", EXCHANGE, json={"token": token}).status_code == 201


def test_only_admins_invite_and_only_who_is_there(office: Office) -> None:
    office.ben.fails(403, "POST", "/members/cleo@amber.example/invitations")
    office.ada.fails(404, "POST", "/members/dora@amber.example/invitations")
    office.ada.does("DELETE", "/members/cleo@amber.example")
    office.ada.fails(409, "POST", "/members/cleo@amber.example/invitations")
    office.caller(None).fails(422, "POST", EXCHANGE, {})
    office.caller(None).fails(422, "POST", EXCHANGE, {"token": "x", "role": "admin"})


def test_the_member_concerned_is_shown_the_invitation_and_its_use(office: Office) -> None:
    key_of(office, invited(office))
    told = [
        "invitation_used: an invitation of Ben was exchanged for the key 'laptop'",
        "invitation_made: Ben is invited to make a key",
    ]
    assert about(office, office.ben) == told
    assert about(office, office.ada) == told
    assert about(office, office.cleo) == []
    made = office.ben.get("/audit")["items"][1]
    assert (made["by"], made["about"]["name"]) == ("Ada", "Ben")
    (notice,) = [n for n in office.ben.get("/me")["notices"] if n["kind"] == "invitation_made"]
    assert notice["by"] == "Ada"
    assert office.cleo.get("/me")["notices"] == []
    office.billing.fails(403, "GET", "/audit")


def test_a_member_makes_more_keys_and_revokes_their_own(office: Office) -> None:
    made = office.ben.does("POST", "/me/keys", {"name": "phone"})
    assert office.caller(made["key"]).get("/me")["name"] == "Ben"
    office.cleo.fails(404, "DELETE", f"/keys/{made['id']}")
    office.ben.does("DELETE", f"/keys/{made['id']}")
    office.caller(made["key"]).fails(401, "GET", "/me")
    assert about(office, office.ben) == [
        "key_revoked: the key 'phone' of Ben is revoked",
        "key_made: Ben made the key 'phone'",
    ]
    office.billing.fails(403, "POST", "/me/keys")


def test_an_admin_revokes_any_key_and_the_member_is_told(office: Office) -> None:
    (mine,) = office.ben.get("/keys")["items"]
    made = office.ben.does("POST", "/me/keys", {"name": "phone"})
    office.ada.does("DELETE", f"/keys/{mine['id']}")
    office.ben.fails(401, "GET", "/me")
    told = office.caller(made["key"]).get("/me")["notices"]
    assert [(n["kind"], n["by"]) for n in told] == [("key_revoked", "Ada")]
    assert {k["scope"] for k in office.ada.get("/keys")["items"]} == {"member", "billing"}


def test_the_audit_trail_comes_in_pages_newest_first(office: Office) -> None:
    for name in ("a", "b", "c"):
        office.ben.does("POST", "/me/keys", {"name": name})
    first = office.ben.get("/audit", limit=2)
    assert [e["text"][-3:] for e in first["items"]] == ["'c'", "'b'"]
    rest = office.ben.get("/audit", limit=2, cursor=first["next_cursor"])
    assert ([e["text"][-3:] for e in rest["items"]], rest["next_cursor"]) == (["'a'"], None)


def test_who_left_and_comes_back_needs_a_new_invitation_and_is_there(office: Office) -> None:
    token = invited(office)
    office.ada.does("PUT", "/members/ben@amber.example/absence", {"from": "2025-03-01"})
    office.ada.does("DELETE", "/members/ben@amber.example")
    back = office.ada.does("PUT", "/members/ben@amber.example", {"name": "Ben"})
    assert back["absence"] is None
    refused(office, token)
    assert office.caller(key_of(office, invited(office))).get("/me")["name"] == "Ben"
