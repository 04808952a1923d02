"""Cursors of lists: encrypted, for one organisation and one list, valid in every process."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import select

from api.app import create_app
from settings import Settings
from stand_ins.office import Caller, Office, invoice_body
from store import tables as t
from store.engine import transaction

ACTIONS = {"scope": "all"}


@pytest.fixture
def shop(office: Office) -> Office:
    """Two customers, and with them two or more of most things that are listed."""
    office.bens_call()
    office.billing.does("PUT", "/customers/C-2", {"name": "Second"})
    office.billing.does("PUT", "/invoices/INV-2", invoice_body(number="2025-002"))
    return office


def first(who: Caller, path: str, **params: Any) -> str:
    """The cursor of the first page of one."""
    found = who.get(path, limit=1, **params)["next_cursor"]
    assert isinstance(found, str)
    return found


def refused(who: Caller, path: str, cursor: str, **params: Any) -> None:
    told = who.fails(422, "GET", path, params={**params, "cursor": cursor})
    assert [e["where"] for e in told["errors"]] == ["query cursor"]


def raw(cursor: str) -> bytes:
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


PAGED = ("/customers", "/invoices", "/actions?scope=all", "/customers/C-1/timeline")


@pytest.mark.parametrize("path", PAGED)
def test_a_cursor_cannot_be_read(shop: Office, path: str) -> None:
    inside = raw(first(shop.ben, path, **({"scope": "all"} if "scope" in path else {})))
    with transaction(shop.engine) as session:
        places = [
            *session.exec(select(t.Action.seq)),
            *session.exec(select(t.TimelineEntry.id)),
        ]
    assert b"C-1" not in inside
    assert b"INV-1" not in inside
    assert not any(len(str(place)) > 2 and str(place).encode() in inside for place in places)


def test_a_cursor_is_as_long_after_ten_rows_as_after_a_billion(shop: Office) -> None:
    short = first(shop.ben, "/customers/C-1/timeline")
    with transaction(shop.engine) as session:
        last = session.exec(select(sa.func.max(t.TimelineEntry.id))).one() or 0
        mine = select(t.Customer).where(
            t.Customer.organisation_id == shop.id, t.Customer.external_id == "C-2"
        )
        customer = session.exec(mine).one()
        for n in (0, 1):
            session.add(
                t.TimelineEntry(
                    id=10**9 + last + n,
                    organisation_id=shop.id,
                    customer_id=customer.id,
                    kind="x",
                    text="x",
                )
            )
    assert len(first(shop.ben, "/customers/C-2/timeline")) == len(short)


def test_a_cursor_works_with_any_limit(shop: Office) -> None:
    cursor = first(shop.ben, "/customers", name="c")
    for limit in (1, 2, 200):
        page = shop.ben.get("/customers", name="c", limit=limit, cursor=cursor)
        assert [c["external_id"] for c in page["items"]] == ["C-2"]
    assert [
        c["external_id"] for c in shop.cleo.get("/customers", name="c", cursor=cursor)["items"]
    ] == ["C-2"]


def test_a_cursor_of_another_organisation_is_refused(shop: Office, engine: Engine) -> None:
    other = Office(engine, shop.client)
    other.acme()
    for path, params in (("/actions", ACTIONS), ("/customers", {}), ("/invoices", {})):
        refused(other.ben, path, first(shop.ben, path, **params), **params)
    refused(other.ben, "/customers/C-1/timeline", first(shop.ben, "/customers/C-1/timeline"))


def test_a_cursor_of_another_list_or_filter_is_refused(shop: Office) -> None:
    cursor = first(shop.ben, "/customers", name="c")
    refused(shop.ben, "/customers", cursor)
    refused(shop.ben, "/customers", cursor, name="a")
    refused(shop.ben, "/customers", cursor, name="c", member="ben@amber.example")
    refused(shop.ben, "/invoices", first(shop.ben, "/customers"))
    timeline = first(shop.ben, "/customers/C-1/timeline")
    refused(shop.ben, "/customers/C-2/timeline", timeline)
    refused(shop.ben, "/invoices/INV-1/timeline", timeline)


def test_one_that_was_changed_is_refused(shop: Office) -> None:
    cursor = first(shop.ben, "/customers")
    inside = raw(cursor)
    for place in range(len(inside)):
        changed = bytearray(inside)
        changed[place] ^= 1
        refused(shop.ben, "/customers", base64.urlsafe_b64encode(changed).decode().rstrip("="))
    for wrong in (cursor[:-1], cursor[1:], cursor * 2, "", "AAAA", "AAAAAQ", "ä", "!" * 40):
        refused(shop.ben, "/customers", wrong)


def test_every_list_refuses_a_forged_cursor(shop: Office, app: FastAPI) -> None:
    paged = [
        path
        for path, item in app.openapi()["paths"].items()
        for parameter in item.get("get", {}).get("parameters", ())
        if parameter["name"] == "cursor"
    ]
    assert len(paged) >= 9
    made_up = base64.urlsafe_b64encode(b"1").decode().rstrip("=")
    for path in paged:
        filled = path.replace("{customer}", "C-1").replace("{invoice}", "INV-1")
        refused(shop.ada, filled.removeprefix("/v1"), made_up)


def test_a_cursor_works_in_another_process_and_after_a_restart(
    shop: Office, engine: Engine
) -> None:
    cursor = first(shop.ben, "/actions", **ACTIONS)
    for _ in range(2):
        with TestClient(create_app(Settings(), engine), base_url="http://dunning") as client:
            other = Caller(client, shop.ben.headers["Authorization"].partition(" ")[2])
            assert len(other.get("/actions", **ACTIONS, cursor=cursor)["items"]) == 1


def test_a_new_key_seals_and_the_old_one_opens_until_it_is_deleted(shop: Office) -> None:
    old = first(shop.ben, "/customers")
    with transaction(shop.engine) as session:
        session.add(t.CursorKey(key=b"k" * 64))
    new = first(shop.ben, "/customers")
    assert new != old
    for cursor in (old, new):
        assert len(shop.ben.get("/customers", cursor=cursor)["items"]) == 1
    with transaction(shop.engine) as session:
        keys = list(session.exec(select(t.CursorKey).order_by(sa.desc("version"))))
        for key in itertools.islice(keys, 1, None):
            session.delete(key)
    refused(shop.ben, "/customers", old)
    assert len(shop.ben.get("/customers", cursor=new)["items"]) == 1
