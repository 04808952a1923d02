"""Requests that lose a race are run again, or answered with what happened."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlmodel import col, select

from dunning.spellings import lower_case
from stand_ins.office import Office, acme_body, invoice_body
from store import tables as t
from store.collisions import collides
from store.engine import transaction


@contextmanager
def refusing(engine: Engine, state: str, times: int) -> Iterator[None]:
    """The first ``times`` changes of a customer named Refused end with the SQLSTATE ``state``."""
    make = f"""
        CREATE SEQUENCE refusals;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.name = 'Refused' AND nextval('refusals') <= {times} THEN
                RAISE EXCEPTION 'lost' USING ERRCODE = '{state}';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON customer
            FOR EACH ROW EXECUTE FUNCTION refuse();
    """
    with engine.begin() as connection:
        connection.exec_driver_sql(make)
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION refuse() CASCADE; DROP SEQUENCE refusals")


@pytest.mark.parametrize("state", ["40P01", "40001"])
def test_a_deadlock_or_serialization_failure_is_run_again_twice_before_the_client_is_told(
    office: Office, state: str
) -> None:
    refused = acme_body(name="Refused")
    with refusing(office.engine, state, times=2):
        assert office.billing("PUT", "/customers/C-1", json=refused).status_code == 201
    batch = {"customers": [{**refused, "external_id": "C-2"}]}
    with refusing(office.engine, state, times=2):
        office.billing.does("POST", "/batch", batch)
    assert office.nudges() == ["account_changed", "account_changed"]  # each once
    with refusing(office.engine, state, times=3):
        told = office.billing("PUT", "/customers/C-3", json=refused)
    assert (told.status_code, told.headers["retry-after"]) == (503, "1")
    office.billing.fails(404, "GET", "/customers/C-3")


def test_an_import_that_loses_a_race_is_run_again(office: Office) -> None:
    head = "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on"
    headers = {"Content-Type": "text/csv"}
    for number, state in enumerate(("40P01", "23505"), 1):
        row = f"C-{number},Refused,ada@x.example,INV-{number},2025-02-01,2025-03-03,100.00,EUR,"
        book = f"{head}\n{row}\n".encode()
        with refusing(office.engine, state, times=1):
            done = office.billing("POST", "/imports", content=book, headers=headers)
        assert done.status_code == 200, done.text
        assert office.billing.get(f"/invoices/INV-{number}")["total"] == "100.00"


def waits_for_a_lock(engine: Engine) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with engine.connect() as connection:
        return bool(connection.execute(sa.text(waiting)).scalar())


def test_two_concurrent_reports_of_a_new_customer_both_succeed(office: Office) -> None:
    with ThreadPoolExecutor(1) as threads:
        with transaction(office.engine) as first:
            first.add(t.Customer(organisation_id=office.id, external_id="C-1", name="Acme"))
            first.flush()
            second = threads.submit(office.billing, "PUT", "/customers/C-1", json=acme_body())
            while not waits_for_a_lock(office.engine):
                time.sleep(0.005)
        told = second.result()
    assert (told.status_code, told.json()["result"]) == (200, "updated")
    assert office.billing.get("/customers/C-1")["contacts"][0]["name"] == "Eve"


def test_a_unique_violation_is_answered_with_409_without_the_value(office: Office) -> None:
    office.acme()
    with refusing(office.engine, "23505", times=2):
        told = office.billing.fails(409, "PUT", "/customers/C-1", acme_body(name="Refused"))
    assert told["detail"] == "there is already the same thing; read it, and change that one"


def test_every_unique_key_has_words_for_its_409(engine: Engine) -> None:
    found = sa.text(
        "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace"
    )
    ours = {"uq_invitation_token_hash", "pk_link", "pk_cursor_key", "alembic_version_pkc"}
    with engine.connect() as connection:
        names = set(connection.execute(found).scalars())
    inspected = sa.inspect(engine)
    for table in inspected.get_table_names():
        if list(inspected.get_pk_constraint(table)["constrained_columns"]) == ["id"]:
            ours.add(f"pk_{table}")

    class Diagnostics:
        constraint_name = ""

    for name in names - ours:
        Diagnostics.constraint_name = name
        assert "the same thing" not in collides(Diagnostics), name


# Addresses that Python and PostgreSQL write differently in lower case.


@pytest.mark.parametrize("address", ["İx@a.example", "ΑΣ@a.example", "Straße@a.example"])
def test_a_member_of_any_letters_is_made_once_and_found_again(office: Office, address: str) -> None:
    for name in ("First", "Second"):
        office.ada.does("PUT", f"/members/{address}", {"name": name})
    with transaction(office.engine) as session:
        mine = select(t.Member).where(t.Member.organisation_id == office.id)
        assert [m.name for m in session.exec(mine) if m.email == address] == ["Second"]
    office.billing.does("PUT", "/customers/C-1", acme_body(members=[address]))
    office.billing.does("PUT", "/customers/C-2", acme_body(members=[lower_case(address)]))


def test_members_whose_addresses_only_look_alike_are_not_mistaken(office: Office) -> None:
    for address in ("strasse@a.example", "straße@a.example"):
        office.ada.does("PUT", f"/members/{address}", {"name": address})
    office.billing.does("PUT", "/customers/C-1", acme_body(members=["strasse@a.example"]))
    with transaction(office.engine) as session:
        assigned = session.exec(
            select(t.Member.email)
            .join(t.CustomerMember, col(t.CustomerMember.member_id) == t.Member.id)
            .join(t.Customer, col(t.Customer.id) == t.CustomerMember.customer_id)
            .where(t.Customer.organisation_id == office.id)
        ).all()
    assert assigned == ["strasse@a.example"]


def test_the_same_member_in_other_letters_at_once_is_one_member(office: Office) -> None:
    with ThreadPoolExecutor(2) as threads:
        told = list(
            threads.map(
                lambda address: office.ada("PUT", f"/members/{address}", json={"name": "Dee"}),
                ["dee@a.example", "DEE@a.example"],
            )
        )
    assert {answer.status_code for answer in told} <= {200, 201}
    office.ada.does("PUT", "/members/Dee@a.example", {"name": "Dee"})  # one is found, not two


def test_lower_case_is_that_of_postgresql(engine: Engine) -> None:
    letters = [chr(n) for n in range(0x80, 0x2000) if chr(n).lower() != chr(n)]
    with engine.connect() as connection:
        theirs = connection.execute(
            sa.text(
                "SELECT array_agg(lower(x) ORDER BY n) FROM unnest(CAST(:l AS text[]))"
                " WITH ORDINALITY AS u(x, n)"
            ),
            {"l": [f"{one}x" for one in letters]},
        ).scalar_one()
    assert [lower_case(f"{one}x") for one in letters] == theirs


def test_a_request_that_is_run_again_has_its_whole_body(office: Office) -> None:
    office.billing.does("PUT", "/customers/C-1", acme_body(name="Refused"))
    lines = [{**invoice_body(), "external_id": f"I-{n}"} for n in range(50)]
    again = {"customers": [{**acme_body(name="Refused"), "external_id": "C-1"}], "invoices": lines}
    again["customers"][0]["country"] = "FR"
    with refusing(office.engine, "40P01", times=2):
        done = office.billing.does("POST", "/batch", again)
    assert [len(done[name]) for name in ("customers", "invoices")] == [1, 50]
