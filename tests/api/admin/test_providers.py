"""An organisation's own accounts at providers: for admins, stored encrypted, never shown again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI

from api.outside.webhooks import Signers
from backoffice.delivery.callbacks import REFUSED, UNMATCHED, end
from backoffice.people import provider_accounts
from backoffice.people.vault import Vault, new_secret_key
from providers.registry import account
from providers.sendgrid.account import EU_HOST, HOST, SendGridAccount
from stand_ins.office import Office
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from tests.cast.provider_accounts import BODIES, LOB, SENDGRID, TWILIO, public_key

PUBLIC = "https://dunning.example"


@pytest.fixture
def vault(app: FastAPI) -> Iterator[Vault]:
    """The API has a secret key and a public address."""
    before, vault = app.state.signers, Vault((new_secret_key(),))
    app.state.signers = Signers({}, vault, PUBLIC)
    yield vault
    app.state.signers = before


def path(provider: str) -> str:
    return f"/organisation/providers/{provider}"


def opened(office: Office, vault: Vault, provider: str) -> Any:
    with transaction(office.engine) as session:
        row = provider_accounts.find(Unit(session, office.id), provider)
        assert row is not None
        return account(provider, vault.open(row.sealed))


def test_an_account_is_stored_encrypted_and_shown_by_its_last_characters(
    office: Office, vault: Vault
) -> None:
    assert office.ada.get("/organisation/providers")["items"] == []
    for provider, body in BODIES.items():
        made = office.ada.does("PUT", path(provider), body)
        assert (made["provider"], made["updated_by"]) == (provider, "Ada")
    listed = office.ada.get("/organisation/providers")["items"]
    assert [row["provider"] for row in listed] == ["lob", "sendgrid", "twilio"]
    lob, sendgrid, twilio = (row["shown"] for row in listed)
    assert sendgrid == {
        "api_key": "…1234",
        "eu": False,
        "inbound_domain": "answers.amber.example",
        "webhook_keys": [f"…{SENDGRID['webhook_keys'][0][-4:]}"],
    }
    assert (twilio["auth_token"], twilio["sender"]) == ("…5678", "+33700000000")
    assert (lob["api_key"], lob["webhook_secrets"]) == ("…9012", ["…3456"])
    assert lob["sender"]["line1"] == "185 Berry St"
    own = opened(office, vault, "sendgrid")
    assert isinstance(own, SendGridAccount)
    assert (own.api_key, own.host) == (SENDGRID["api_key"], HOST)
    assert opened(office, vault, "twilio").webhook_tokens == ("secret-of-twilio-5678",)
    assert opened(office, vault, "lob").sender.country == "US"
    with transaction(office.engine) as session:
        for row in provider_accounts.every(Unit(session, office.id)):
            assert b"secret-of" not in row.sealed
            assert "secret-of" not in str(row.shown)


def test_an_account_is_replaced_whole_and_removed(office: Office, vault: Vault) -> None:
    office.ada.does("PUT", path("sendgrid"), SENDGRID)
    again = office.ada.does("PUT", path("sendgrid"), {"api_key": "SG.another-key-abcd", "eu": True})
    assert again["shown"] == {
        "api_key": "…abcd",
        "eu": True,
        "webhook_keys": [],
        "inbound_domain": "",
    }
    assert opened(office, vault, "sendgrid").host == EU_HOST
    office.ada.does("DELETE", path("sendgrid"))
    assert office.ada.get("/organisation/providers")["items"] == []
    office.ada.fails(404, "DELETE", path("sendgrid"))
    office.ada.fails(422, "DELETE", path("mailgun"))


def test_where_the_providers_call_back(office: Office, app: FastAPI, vault: Vault) -> None:
    found = office.ada.get("/organisation/providers")["webhooks"]
    addresses = [(w["provider"], w["purpose"], w["url"]) for w in found if w["provider"] in BODIES]
    assert addresses == [
        ("sendgrid", "events", f"{PUBLIC}/webhooks/sendgrid/{office.id}"),
        ("sendgrid", "replies", f"{PUBLIC}/webhooks/sendgrid/{office.id}/inbound"),
        ("twilio", "replies", f"{PUBLIC}/webhooks/twilio/{office.id}/inbound"),
        ("lob", "events", f"{PUBLIC}/webhooks/lob/{office.id}"),
    ]
    app.state.signers = Signers({}, vault)
    assert office.ada.get("/organisation/providers")["webhooks"] == []
    told = office.ada.fails(422, "PUT", path("twilio"), TWILIO)
    assert "public address" in told["detail"]


def test_only_admins_of_this_organisation(office: Office, vault: Vault) -> None:
    office.ada.does("PUT", path("sendgrid"), SENDGRID)
    for who in (office.ben, office.billing):
        who.fails(403, "GET", "/organisation/providers")
        who.fails(403, "PUT", path("twilio"), TWILIO)
        who.fails(403, "DELETE", path("sendgrid"))
        who.fails(403, "GET", "/callbacks")
    other = Office(office.engine, office.client)
    assert other.ada.get("/organisation/providers")["items"] == []
    other.ada.fails(404, "DELETE", path("sendgrid"))


def test_without_a_secret_key_no_account_is_stored(
    office: Office, app: FastAPI, vault: Vault
) -> None:
    app.state.signers = Signers({}, Vault(()), PUBLIC)
    told = office.ada.fails(503, "PUT", path("sendgrid"), SENDGRID)
    assert told["type"] == "urn:dunning:problem:no-secret-key"
    assert "DUNNING_SECRET_KEYS" in told["detail"]
    assert office.ada.get("/organisation/providers")["items"] == []


RSA = public_key(rsa.generate_private_key(65537, 2048))


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("sendgrid", {"api_key": ""}),
    ("sendgrid", {"api_key": "SG. with space"}),
    ("sendgrid", {"api_key": "SG.a\nb"}),
    ("sendgrid", {"api_key": None}),
    ("sendgrid", {"inbound_domain": "no domain"}),
    ("sendgrid", {"webhook_keys": ["AAAA"]}),
    ("sendgrid", {"webhook_keys": ["no base64!"]}),
    ("sendgrid", {"webhook_keys": [RSA]}),
    ("sendgrid", {"host": "https://evil.example"}),
    ("sendgrid", {"eu": "yes"}),
    ("twilio", {"account_sid": "SK123"}),
    ("twilio", {"auth_token": ""}),
    ("twilio", {"api_key_sid": "SK1"}),
    ("twilio", {"sender": ""}),
    ("twilio", {"auth_token": "with space"}),
    ("twilio", {"host": "http://169.254.169.254"}),
    ("twilio", {"webhook_tokens": [""]}),
    ("lob", {"sender_name": "x" * 41}),
    ("lob", {"host": "http://127.0.0.1"}),
    ("lob", {"mail_type": "pigeon"}),
    ("lob", {"sender": {**LOB["sender"], "country": "FR"}}),
    ("lob", {"webhook_secrets": [""]}),
    ("lob", {"sender": {"line1": "185 Berry St"}}),
    ("lob", {"api_key": "a:b"}),
]


def test_an_invalid_account_is_refused(
    office: Office, vault: Vault, subtests: pytest.Subtests
) -> None:
    for provider, change in WRONG:
        with subtests.test(provider=provider, change=str(change)[:60]):
            body = BODIES[provider] | change
            told = office.ada.fails(422, "PUT", path(provider), body)
            assert "secret-of" not in str(told)
    assert office.ada.get("/organisation/providers")["items"] == []


def test_who_changed_what_is_logged_without_a_secret(
    office: Office, vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for provider, body in BODIES.items():
        office.ada.does("PUT", path(provider), body)
        office.ada.fails(422, "PUT", path(provider), {**body, "api_key": "SG. a secret-of-ours"})
    office.ada.does("DELETE", path("lob"))
    lines = [r.getMessage() for r in caplog.records if r.name == "api.admin.providers"]
    assert len(lines) == 4
    assert all(office.ids["Ada"] in line and str(office.id) in line for line in lines)
    assert "secret-of" not in caplog.text


def test_callbacks_that_came_to_nothing(office: Office, vault: Vault) -> None:
    other = Office(office.engine, office.client)
    with transaction(office.engine) as session:
        for whose, outcome, n in (
            (office.id, UNMATCHED, 1),
            (office.id, UNMATCHED, 2),
            (office.id, UNMATCHED, 3),
            (office.id, REFUSED, 4),
            (office.id, "done", 5),
            (other.id, UNMATCHED, 6),
            (None, UNMATCHED, 7),
        ):
            row = t.Callback(provider="lob", organisation_id=whose, url=PUBLIC, body=b"the body")
            end(row, outcome, f"wrong {n}")
            session.add(row)
            session.flush()
    page = office.ada.get("/callbacks", limit=2)
    assert [row["error"] for row in page["items"]] == ["wrong 3", "wrong 2"]
    assert set(page["items"][0]) == {"provider", "received_at", "outcome", "error"}
    rest = office.ada.get("/callbacks", limit=2, cursor=page["next_cursor"])
    assert ([row["error"] for row in rest["items"]], rest["next_cursor"]) == (["wrong 1"], None)
    refused = office.ada.get("/callbacks", outcome="refused")["items"]
    assert [(row["outcome"], row["error"]) for row in refused] == [("refused", "wrong 4")]
    office.ada.fails(422, "GET", "/callbacks", params={"outcome": "done"})
