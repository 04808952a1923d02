"""A callback matches only deliveries of the account whose key signed it. Callbacks are posted to
the API and processed as the worker does."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import Engine

from activities.callbacks import Callbacks
from activities.configured import channels_of
from activities.outbox_channels import outbox_channels
from activities.own_accounts import OwnAccounts
from activities.sending import Sending
from api.app import create_app
from backoffice.delivery.outgoing import Outgoing
from backoffice.people import provider_accounts
from backoffice.people.vault import Vault, new_secret_key
from providers.registry import readers
from settings import Settings
from stand_ins.providers import Habits, StandIns
from stand_ins.town import Provider, Town, email, plan
from store import tables as t
from store.engine import connect, transaction
from store.unit import Unit

pytestmark = pytest.mark.services

EVE = "eve@acme.example"


class Signer:
    """A webhook of SendGrid with its key pair."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public = base64.b64encode(der).decode()

    def __call__(self, body: bytes) -> dict[str, str]:
        stamp = str(int(time.time()))
        signature = self._key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        }


HOUSE, OWN, NEW = Signer(), Signer(), Signer()
SECRET = new_secret_key()


@pytest.fixture(scope="module")
def sendgrid() -> Iterator[StandIns]:
    with StandIns(habits=Habits(delay=0, twice=0, early=0, opened=0)) as sendgrid:
        yield sendgrid


class Installation:
    """The organisation Amber & Sons, its installation's accounts, and a client that posts
    callbacks."""

    def __init__(self, engine: Engine, sendgrid: StandIns) -> None:
        self.engine, self.sendgrid = engine, sendgrid
        self.town = Town(engine, Provider(), plan(email("one", 1), email("two", 30)))
        self.runs(webhooks=[HOUSE])

    def runs(self, *, webhooks: list[Signer]) -> None:
        """Start the installation with an account whose webhooks have these keys."""
        settings = Settings(
            public_base_url="https://dunning.example",
            secret_keys=SecretStr(SECRET),
            sendgrid_api_key=SecretStr(self.sendgrid.keys.sendgrid),
            sendgrid_host=self.sendgrid.sendgrid_url,
            sendgrid_webhook_keys=",".join(one.public for one in webhooks),
        )
        vault = Vault((SECRET,))
        self.vault = vault
        outgoing = Outgoing(
            channels_of(settings, self.engine),
            outbox_channels(self.engine, None),
            lambda: self.town.now,
            own=OwnAccounts(vault, "https://dunning.example"),
        )
        self.town.sending = Sending(self.engine, outgoing)
        nowhere = connect("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
        app = create_app(settings, nowhere)
        app.state.engine = self.engine
        self.client = TestClient(app, base_url="http://dunning")

    def has_own(self, *, webhooks: list[Signer], **more: Any) -> None:
        values = {
            "api_key": self.sendgrid.keys.sendgrid,
            "host": self.sendgrid.sendgrid_url.replace("127.0.0.1", "localhost"),
            "webhook_keys": [one.public for one in webhooks],
            **more,
        }
        with transaction(self.engine) as session:
            provider_accounts.put(
                Unit(session, self.town.id, by="Ada"), self.vault, "sendgrid", values, {}
            )

    def sent(self) -> str:
        """Send Acme's first email; returns the id of its delivery."""
        town = self.town
        town.at("2025-03-03 10:00")
        town.customer()
        town.invoice("INV-1", "2025-03-03")
        town.review()
        town.at("2025-03-04 08:30")
        assert town.send().state == "wait"
        return town.newest()

    def posts(self, signer: Signer, delivery: str, place: str = "", **event: Any) -> str:
        """Post a bounce and process it; returns the outcome of the callback."""
        values = {
            "event": "bounce",
            "type": "bounce",
            "email": EVE,
            "reason": "no such mailbox",
            "timestamp": int(time.time()),
            "sg_event_id": str(time.monotonic()),
        }
        named = {"dunning_delivery_id": delivery} if delivery else {}
        body = json.dumps([values | named | event]).encode()
        answer = self.client.post(f"/webhooks/sendgrid{place}", content=body, headers=signer(body))
        assert answer.status_code == 204, answer.text
        Callbacks(self.engine, "", readers()).take_batch()
        return str(self.town.rows(t.Callback)[-1].outcome)

    def own_place(self) -> str:
        return f"/{self.town.id}"

    @property
    def bounced(self) -> bool:
        (row,) = self.town.rows_of(t.DeliveryRecipient)
        return row.bounced_at is not None


@pytest.fixture
def installation(engine: Engine, sendgrid: StandIns) -> Installation:
    return Installation(engine, sendgrid)


def test_a_report_on_the_organisations_own_account_matches_its_delivery(
    installation: Installation,
) -> None:
    installation.has_own(webhooks=[OWN])
    delivery = installation.sent()
    assert installation.posts(OWN, delivery, installation.own_place()) == "done"
    assert installation.bounced
    assert installation.town.actions()[0] == ("one", "failed")


def test_a_report_on_the_installations_account_does_not_match_an_own_accounts_delivery(
    installation: Installation,
) -> None:
    installation.has_own(webhooks=[OWN])
    delivery = installation.sent()
    assert installation.posts(HOUSE, delivery) == "unmatched"
    assert not installation.bounced


def test_a_report_on_a_new_own_account_does_not_match_earlier_deliveries(
    installation: Installation,
) -> None:
    """The earlier delivery left by the installation's account, or by the replaced own one."""
    delivery = installation.sent()
    installation.has_own(webhooks=[OWN])
    assert installation.posts(OWN, delivery, installation.own_place()) == "unmatched"
    assert not installation.bounced
    assert installation.posts(HOUSE, delivery) == "done"
    assert installation.bounced


def test_a_report_on_a_replacing_own_account_does_not_match_the_replaced_ones(
    installation: Installation,
) -> None:
    installation.has_own(webhooks=[OWN])
    delivery = installation.sent()
    installation.has_own(webhooks=[OWN, NEW], api_key="SG.of-another-account")
    assert installation.posts(NEW, delivery, installation.own_place()) == "unmatched"
    assert not installation.bounced
    assert (
        installation.posts(OWN, delivery, installation.own_place()) == "done"
    )  # its key was kept beside the new


def test_after_a_key_of_an_own_account_is_replaced_its_reports_still_match(
    installation: Installation,
) -> None:
    """SendGrid has no account id. After a change of the API key the account is recognised by its
    webhook key, and after a change of the webhook key by its API key."""
    installation.has_own(webhooks=[OWN])
    delivery = installation.sent()
    installation.has_own(webhooks=[OWN], api_key="SG.replaced")
    assert installation.posts(OWN, delivery, installation.own_place(), event="delivered") == "done"
    installation.has_own(webhooks=[NEW])
    assert installation.posts(NEW, delivery, installation.own_place()) == "done"
    assert installation.bounced


def test_after_the_installations_webhook_key_is_replaced_its_reports_still_match(
    installation: Installation,
) -> None:
    delivery = installation.sent()
    installation.runs(webhooks=[HOUSE, NEW])
    assert installation.posts(NEW, delivery) == "done"
    assert installation.bounced


def test_a_bounce_without_ids_is_matched_within_its_account(installation: Installation) -> None:
    """An asynchronous bounce names no delivery: a delivery to Eve by another account is no
    match."""
    installation.has_own(webhooks=[OWN])
    installation.sent()
    installation.town.change(t.Delivery, claimed_at=datetime.now(UTC))
    assert installation.posts(HOUSE, "") == "unmatched"
    assert not installation.bounced
    assert installation.posts(OWN, "", installation.own_place()) == "done"
    assert installation.bounced


def test_a_delivery_without_an_account_fingerprint_matches_every_signed_report(
    installation: Installation,
) -> None:
    delivery = installation.sent()
    installation.town.change(t.Delivery, account="", signers=[])
    assert installation.posts(HOUSE, delivery) == "done"
    assert installation.bounced


def test_a_report_of_another_provider_is_unmatched(installation: Installation) -> None:
    delivery = installation.sent()
    installation.town.change(t.Delivery, provider="outbox")
    assert installation.posts(HOUSE, delivery) == "unmatched"
    assert not installation.bounced
