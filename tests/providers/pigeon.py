"""A fictional provider: SMS by carrier pigeon. A real one is a folder of ``providers/``."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dunning.delivery import DeliveryFact
from dunning.learnt import Reply, Report
from dunning.plan import ActionType
from messages.message import Message
from providers.callback import Callback, Endpoint
from providers.fingerprint import fingerprint, signer_of
from providers.form import Form, NeededSecret, end_of
from providers.port import Accepted, Result, not_its_type
from providers.provider import Provider, made

#: The messages that were sent, in order.
FLOWN: list[Message] = []


@dataclass(frozen=True)
class PigeonAccount:
    whistle: str
    seal: str = ""

    def __post_init__(self) -> None:
        if " " in self.whistle:
            raise ValueError("a whistle has no space")

    @property
    def mark(self) -> str:
        return fingerprint("pigeon", self.whistle)

    @property
    def signing_keys(self) -> tuple[str, ...]:
        return (self.seal,) if self.seal else ()


class PigeonIn(Form):
    whistle: NeededSecret
    seal: NeededSecret

    def credentials(self) -> dict[str, Any]:
        return {
            "whistle": self.whistle.get_secret_value(),
            "seal": self.seal.get_secret_value(),
        }

    def shown(self) -> dict[str, Any]:
        return {"whistle": end_of(self.whistle)}


class Pigeon:
    name = "pigeon"
    type = ActionType.SMS
    idempotent = False

    def __init__(self, account: PigeonAccount, public_url: str) -> None:
        self.account = account.mark
        self.signers = tuple(signer_of(self.name, key) for key in account.signing_keys)

    def send(self, message: Message) -> Result:
        wrong = not_its_type(self, message)
        if wrong is not None:
            return wrong
        FLOWN.append(message)
        return Accepted(f"ring-{len(FLOWN)}")


def signature(key: str, body: bytes) -> str:
    return hmac.new(key.encode(), body, "sha256").hexdigest()


def verified(keys: Sequence[str], callback: Callback, now: datetime) -> bool:
    given = callback.headers.get("pigeon-seal", "")
    return any(hmac.compare_digest(signature(key, callback.body), given) for key in keys)


def read(callback: Callback, now: datetime) -> list[Report | Reply]:
    landed = json.loads(callback.body)
    return [Report(fact=DeliveryFact.RECEIVED, at=now, delivery_id=landed["delivery"])]


def _from_settings(given: Mapping[str, str]) -> dict[str, Any]:
    return dict(given)


PROVIDER = Provider(
    name="pigeon",
    title="Pigeon",
    kind=ActionType.SMS,
    account=lambda credentials: made(PigeonAccount, "pigeon", credentials),
    channel=Pigeon,
    form=PigeonIn,
    first_setting="whistle",
    from_settings=_from_settings,
    endpoints=(Endpoint(purpose="events", max_body=1_000),),
    verified=verified,
    read=read,
    answer=("coo", "text/plain"),
)
