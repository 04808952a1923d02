"""What an SMS costs, and the short link in it."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI
from sqlmodel import select

from activities.outbox_channels import outbox_channels
from activities.sending import Sending
from api.outside.webhooks import Signers
from backoffice.delivery.outgoing import Outgoing
from stand_ins.office import Office, invoice_body
from store import tables as t
from store.engine import transaction
from tests.cast.bens_actions import URL, bens_letter, bens_sms
from workflows.contracts import SendInput

PUBLIC = "https://dunning.example"


@pytest.fixture
def public(app: FastAPI) -> None:
    app.state.signers = Signers(public_url=PUBLIC)


def test_an_sms_says_what_it_costs(office: Office) -> None:
    path = bens_sms(office, "Please pay.")
    seen = office.ben.get(path)["message"]
    assert (seen["segments"], seen["encoding"], seen["attachments"]) == (1, "GSM-7", [])
    long = office.ben.does("PATCH", path, {"body": "x" * 161})["message"]
    assert (long["segments"], long["encoding"]) == (2, "GSM-7")
    letters = office.ben.does("PATCH", path, {"body": "Réglez ç" + "x" * 63})["message"]
    assert (letters["segments"], letters["encoding"]) == (2, "UCS-2")
    email = office.ben.does("PATCH", path, {"type": "call"})["message"]
    assert (email["segments"], email["encoding"]) == (None, None)


def test_a_preview_is_as_long_as_what_is_sent(office: Office, public: None) -> None:
    path = bens_sms(office, "See {{ invoice.url }}")
    seen = office.ben.get(path)["message"]
    assert seen["text"] == f"See {PUBLIC}/l/preview-preview-"
    office.ben.does("POST", f"{path}/complete")
    channels = outbox_channels(office.engine, None)
    sending = Sending(
        office.engine,
        Outgoing(channels, channels, lambda: office.now, public_url=PUBLIC),
    )
    customer = office.ben.get("/customers/C-1")["id"]
    sending.send_sms(SendInput(str(office.id), customer, office.now, "sms"))
    sent = office.ben.get(path)["message"]
    assert re.fullmatch(rf"See {PUBLIC}/l/[\w-]{{16}}", sent["text"])
    assert sent["text"] != seen["text"]
    assert (len(sent["text"]), sent["segments"]) == (len(seen["text"]), seen["segments"])
    with transaction(office.engine) as session:
        token = sent["text"].rpartition("/")[2]
        assert session.get_one(t.Link, token).target == URL
        previews = select(t.Link).where(t.Link.token == "preview-preview-")
        assert session.exec(previews).all() == []


def test_without_a_public_address_the_page_itself_is_shown(office: Office) -> None:
    path = bens_sms(office, "See {{ invoice.url }}")
    assert office.ben.get(path)["message"]["text"] == f"See {URL}"


def test_an_email_links_to_the_page_itself(office: Office, public: None) -> None:
    path = bens_letter(office)
    office.billing.does("PUT", "/invoices/INV-1", invoice_body(url=URL))
    seen = office.ben.does("PATCH", path, {"body": "See {{ invoice.url }}"})
    assert seen["message"]["text"] == f"See {URL}"
