"""An account that its provider refuses: what admins and members are told, and until when."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlmodel import Session, col, select

from api.http.database import _now
from api.outside.webhooks import Signers
from backoffice.people.held_accounts import Refusal, Via, account_changed, refused, works
from backoffice.people.vault import Vault, new_secret_key
from dunning.ids import MemberId
from dunning.plan import ActionType
from stand_ins.office import Office, acme_body, invoice_body
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from tests.cast.provider_accounts import SENDGRID

NINE = datetime(2025, 3, 4, 8, 12, tzinfo=UTC)  # 09:12 in Paris, a Tuesday
VIA = Via("sendgrid", "its account")
SAYS = "SendGrid refuses our key since 09:12; 2 messages wait"


@pytest.fixture
def held(office: Office, app: FastAPI) -> Iterator[Office]:
    """The reminders of two customers are due, at 09:12 SendGrid refuses the installation's key; it
    is 10:00 in Paris."""
    office.acme()
    office.billing.does("PUT", "/customers/C-2", acme_body(name="Beta"))
    office.billing.does("PUT", "/invoices/INV-2", invoice_body(customer="C-2", number="2025-002"))
    office.at("2025-03-04 08:00")
    assert [office.review(customer) for customer in ("C-1", "C-2")] == ["wait", "wait"]
    with transaction(office.engine) as session:
        session.get_one(t.Organisation, office.id).rehearsal_now = None
        begin(session, office)
    app.dependency_overrides[_now] = lambda: NINE + timedelta(minutes=48)
    yield office
    del app.dependency_overrides[_now]
    with transaction(office.engine) as session:  # the database is every test's
        works(session, VIA, None, NINE + timedelta(days=9), datetime.now(UTC))
        account_changed(Unit(session, office.id), "sendgrid")


def begin(session: Session, office: Office, *, own: bool = False) -> None:
    owner = office.id if own else None
    reason = "SendGrid refuses the key: revoked"
    customer = office.customer_id("C-1")
    refused(session, Refusal(VIA, ActionType.EMAIL, owner, reason), customer, NINE)


def test_the_providers_say_that_the_key_is_refused_since_when_and_how_many_wait(
    held: Office,
) -> None:
    (told,) = held.ada.get("/organisation/providers")["held"]
    assert told["text"] == SAYS
    assert (told["provider"], told["own"], told["waiting"], told["probes"]) == (
        "sendgrid",
        False,
        2,
        0,
    )
    assert told["reason"] == "SendGrid refuses the key: revoked"
    assert told["since"] == "2025-03-04T08:12:00Z"
    assert told["next_probe_at"] == "2025-03-04T08:13:00Z"
    assert told["last_probe_at"] is None


def test_next_names_the_held_account_to_every_member(held: Office) -> None:
    told = held.ben.get("/customers/C-1/next")
    assert told["state"] == "send"
    assert told["held"]["text"] == SAYS
    assert told["summary"].endswith(f" · {SAYS}")


def test_a_message_that_its_owner_completed_is_counted_for_the_owner_alone(held: Office) -> None:
    """Rule 29: C-2's reminder had nobody to go to; Ben corrected that and completed it."""
    with transaction(held.engine) as session:
        row = session.exec(
            select(t.Action)
            .join(t.Invoice, col(t.Invoice.id) == t.Action.invoice_id)
            .where(t.Action.organisation_id == held.id, t.Invoice.number == "2025-002")
        ).one()
        row.status, row.shown_at = "to_do", NINE
        row.owner_id = MemberId(uuid.UUID(held.ids["Ben"]))
        row.requested_at, row.requested_by = NINE, row.owner_id
    assert held.ben.get("/customers/C-1/next")["held"]["waiting"] == 2
    assert held.cleo.get("/customers/C-1/next")["held"]["waiting"] == 1
    (told,) = held.ada.get("/organisation/providers")["held"]
    assert (told["waiting"], told["text"]) == (
        1,
        SAYS.replace("2 messages wait", "1 message waits"),
    )
    (notice,) = held.ada.get("/organisation/notices")["items"]
    assert notice["text"] == told["text"]


def test_next_by_another_channel_does_not_name_the_held_account(held: Office) -> None:
    with transaction(held.engine) as session:
        session.connection().execute(update(t.HeldAccount).values(channel="sms"))
    told = held.ben.get("/customers/C-1/next")
    assert told["held"] is None
    assert "refuses" not in told["summary"]


def test_the_admins_have_one_notice_that_ends_by_itself(held: Office) -> None:
    (notice,) = held.ada.get("/organisation/notices")["items"]
    assert (notice["kind"], notice["text"], notice["ended_at"]) == ("account_held", SAYS, None)
    assert "whoever runs this installation" in notice["to_do"]
    held.ben.fails(403, "GET", "/organisation/notices")
    held.billing.fails(403, "GET", "/organisation/notices")
    with transaction(held.engine) as session:
        assert works(session, VIA, None, NINE + timedelta(minutes=1), NINE + timedelta(minutes=28))
    assert held.ada.get("/organisation/notices")["items"] == []
    assert held.ada.get("/organisation/providers")["held"] == []
    assert held.ben.get("/customers/C-1/next")["held"] is None
    every = held.ada.get("/organisation/notices", ended=True)["items"]
    (ended,) = [one for one in every if one["id"] == notice["id"]]
    assert ended["text"] == "SendGrid refused our key from 09:12 to 09:40"
    assert ended["ended_by"] == "a message was taken"


def test_a_hold_since_another_day_is_shown_with_its_date(held: Office, app: FastAPI) -> None:
    app.dependency_overrides[_now] = lambda: NINE + timedelta(days=1)
    (told,) = held.ada.get("/organisation/providers")["held"]
    assert told["text"].startswith("SendGrid refuses our key since Tue 4 Mar 09:12; ")


def test_an_organisation_with_its_own_account_is_not_told_of_the_installations(
    held: Office, app: FastAPI
) -> None:
    before = app.state.signers
    app.state.signers = Signers({}, Vault((new_secret_key(),)), "https://dunning.example")
    held.ada.does("PUT", "/organisation/providers/sendgrid", SENDGRID)
    app.state.signers = before
    assert held.ada.get("/organisation/providers")["held"] == []
    assert held.ada.get("/organisation/notices")["items"] == []
    assert held.ben.get("/customers/C-1/next")["held"] is None


def test_a_new_key_of_its_own_account_ends_the_hold_at_once(held: Office, app: FastAPI) -> None:
    before = app.state.signers
    app.state.signers = Signers({}, Vault((new_secret_key(),)), "https://dunning.example")
    with transaction(held.engine) as session:
        works(session, VIA, None, NINE, NINE)
        begin(session, held, own=True)
    (notice,) = held.ada.get("/organisation/notices")["items"]
    assert "PUT /v1/organisation/providers/sendgrid" in notice["to_do"]
    held.ada.does("PUT", "/organisation/providers/sendgrid", SENDGRID)
    assert held.ada.get("/organisation/notices")["items"] == []
    with transaction(held.engine) as session:
        begin(session, held, own=True)
    assert len(held.ada.get("/organisation/notices")["items"]) == 1
    held.ada.does("DELETE", "/organisation/providers/sendgrid")
    app.state.signers = before
    assert held.ada.get("/organisation/notices")["items"] == []


def test_a_rehearsal_is_not_told_of_held_accounts(held: Office) -> None:
    held.at("2025-03-04 10:00")
    assert held.ada.get("/organisation/providers")["held"] == []
    assert held.ada.get("/organisation/notices")["items"] == []
    assert held.ben.get("/customers/C-1/next")["held"] is None
