"""A new provider is one folder and one line in the registry."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import select

from activities.callbacks import Callbacks
from activities.outbox_channels import outbox_channels
from activities.own_accounts import OwnAccounts
from activities.sending import Sending
from api.app import create_app
from backoffice.delivery.outgoing import Outgoing
from backoffice.people.keys import MEMBER, new_key
from backoffice.people.vault import Vault, new_secret_key
from dunning.plan import ActionType
from providers.registry import PROVIDERS, installed, offered, offered_for, readers, title
from settings import Settings
from stand_ins.office import Caller
from stand_ins.town import Provider, Town, email, plan
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from tests.providers import pigeon
from tests.rooms import ROOT

PUBLIC = "https://dunning.example"
BODY = {"whistle": "three-long-blows-1234", "seal": "wax"}


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The line in the registry."""
    monkeypatch.setitem(PROVIDERS, pigeon.PROVIDER.name, pigeon.PROVIDER)
    yield
    pigeon.FLOWN.clear()


class Firm:
    """An organisation with an SMS that is due on 4 March 2025, 08:30, and its API."""

    def __init__(self, engine: Engine) -> None:
        key = new_secret_key()
        self.engine, vault = engine, Vault((key,))
        settings = Settings(public_base_url=PUBLIC, secret_keys=SecretStr(key), request_seconds=60)
        self.client = TestClient(create_app(settings, engine), base_url="http://dunning")
        step = email("one", 1, type="sms", subject="", body="Pay {{ invoice.number }}")
        self.town = Town(engine, Provider(), plan(step, email("two", 30)))
        outbox, own = outbox_channels(engine, None), OwnAccounts(vault, PUBLIC)
        outgoing = Outgoing(outbox, outbox, lambda: self.town.now, own=own, public_url=PUBLIC)
        self.town.sending = Sending(engine, outgoing)
        self.town.at("2025-03-03 10:00")
        self.town.customer(phone="+33612345678", country="FR")
        self.town.invoice("INV-1", "2025-03-03")
        self.town.review()
        self.town.at("2025-03-04 08:30")

    @property
    def admin(self) -> Caller:
        with transaction(self.engine) as session:
            ada = session.exec(select(t.Member).where(t.Member.name == "Ada")).one()
            return Caller(
                self.client, new_key(Unit(session, self.town.id, self.town.now), MEMBER, "Ada", ada)
            )

    def calls_back(self, body: bytes, seal: str = "wax") -> Any:
        headers = {"Pigeon-Seal": pigeon.signature(seal, body)}
        path = f"/webhooks/pigeon/{self.town.id}"
        return self.client.post(path, content=body, headers=headers)


@pytest.mark.services
def test_a_registered_provider_is_offered_and_sends_and_its_callbacks_are_read(
    registered: None, engine: Engine
) -> None:
    firm = Firm(engine)
    made = firm.admin.does("PUT", "/organisation/providers/pigeon", BODY)
    assert (made["provider"], made["shown"]) == ("pigeon", {"whistle": "…1234"})
    webhooks = firm.admin.get("/organisation/providers")["webhooks"]
    assert webhooks[-1] == {
        "provider": "pigeon",
        "purpose": "events",
        "url": f"{PUBLIC}/webhooks/pigeon/{firm.town.id}",
    }

    assert firm.town.send("sms").state == "wait"
    assert [message.text for message in pigeon.FLOWN] == ["Pay INV-1"]
    (delivery,) = firm.town.rows(t.Delivery)
    assert (delivery.provider, delivery.status) == ("pigeon", "accepted")

    landed = json.dumps({"delivery": str(delivery.id)}).encode()
    answer = firm.calls_back(landed)
    assert (answer.status_code, answer.text) == (200, "coo")
    Callbacks(engine, "", readers()).take_batch()
    with transaction(engine) as session:
        assert session.exec(select(t.DeliveryRecipient.received_at)).one() is not None

    firm.admin.does("DELETE", "/organisation/providers/pigeon")


@pytest.mark.services
def test_credentials_that_a_registered_provider_refuses_are_refused(
    registered: None, engine: Engine
) -> None:
    firm = Firm(engine)
    path = "/organisation/providers/pigeon"
    told = firm.admin.fails(422, "PUT", path, BODY | {"whistle": "two short blows"})
    assert "a whistle has no space" in told["detail"]
    firm.admin.fails(422, "PUT", path, BODY | {"feather": "white"})
    firm.admin.does("PUT", path, BODY)
    assert firm.calls_back(b"{}", seal="forged").status_code == 401
    assert firm.calls_back(b" " * 1_001).status_code == 413
    assert firm.client.post("/webhooks/pigeon", content=b"{}").status_code == 503
    firm.admin.fails(422, "DELETE", "/organisation/providers/mailgun")


def test_the_api_describes_a_registered_provider(registered: None, engine: Engine) -> None:
    document = create_app(Settings(), engine).openapi()
    put = document["paths"]["/v1/organisation/providers/pigeon"]["put"]
    assert put["operationId"] == "put_pigeon_account"
    assert put["description"].startswith("Send SMS through an own Pigeon account")
    shown = document["components"]["schemas"]["ProviderAccount"]["properties"]["provider"]
    assert shown["enum"] == [provider.name for provider in offered()]
    assert "pigeon" in shown["enum"]


def test_the_settings_give_the_installation_an_account(registered: None) -> None:
    def settings(**pigeon: str) -> Any:
        return lambda name: pigeon if name == "pigeon" else {}

    assert set(installed(settings())) == {"outbox"}
    found = installed(settings(whistle="w", seal="wax"))["pigeon"]
    assert found.signing_keys == ("wax",)
    with pytest.raises(ValueError, match="DUNNING_PIGEON_SEAL is set, but DUNNING_PIGEON_WHISTLE"):
        installed(settings(seal="wax"))
    with pytest.raises(ValueError, match="DUNNING_PIGEON_…: a whistle has no space"):
        installed(settings(whistle="a b"))


def test_the_registry_lists_providers_by_channel_and_their_callbacks() -> None:
    names = [provider.name for provider in offered()]
    assert {"sendgrid", "twilio", "lob"} <= set(names) == set(PROVIDERS) - {"outbox"}
    assert "sendgrid" in offered_for(ActionType.EMAIL)
    assert offered_for(ActionType.CALL) == []
    assert set(readers()) == {*PROVIDERS, "link"}
    assert [title(name) for name in ("sendgrid", "gone")] == ["SendGrid", "gone"]


def test_the_settings_of_each_provider_make_an_account() -> None:
    settings = Settings(
        sendgrid_api_key=SecretStr("SG.1"),
        sendgrid_webhook_keys="new, old",
        twilio_account_sid="AC1",
        twilio_auth_token=SecretStr("token"),
        twilio_sender="Amber",
        lob_api_key=SecretStr("live_1"),
        lob_sender="Amber & Sons; 185 Berry St; San Francisco; CA; 94107",
    )
    found = installed(settings.of_provider)
    assert {name: account.signing_keys for name, account in found.items()} == {
        "sendgrid": ("new", "old"),
        "twilio": ("token",),
        "lob": (),
        "outbox": (),
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"twilio_sender": "Amber"}, "DUNNING_TWILIO_SENDER is set, but DUNNING_TWILIO_ACCOUNT_S"),
        ({"lob_api_key": SecretStr("live_1")}, "DUNNING_LOB_SENDER: write the name and the addre"),
        ({"twilio_account_sid": "AC1"}, "DUNNING_TWILIO_…: Twilio needs the auth token"),
    ],
)
def test_an_incomplete_account_in_the_settings_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        installed(Settings(**given).of_provider)


def test_no_provider_imports_another() -> None:
    folders = {path.parent for path in (ROOT / "providers").glob("*/__init__.py")}
    names = {folder.name for folder in folders}
    assert names == set(PROVIDERS)
    found = [
        (folder.name, imported)
        for folder in folders
        for path in folder.glob("*.py")
        for imported in re.findall(r"^\s*from providers\.(\w+)", path.read_text(), re.MULTILINE)
    ]
    assert [one for one in found if one[1] in names - {one[0]}] == []
    assert ("lob", "lob") in found
