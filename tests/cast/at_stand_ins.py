"""Requests to the stand-ins, as a provider's client would make them."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from stand_ins.providers import Fault, Habits, StandIns

HANG = 30  # seconds; a hanging request ends with the stand-ins, so no test waits so long
PATIENCE = 0.1  # seconds that the client waits
QUICK = Habits(delay=0, twice=0, early=0, opened=0)
PUBLIC = "https://dunning.example"
MESSAGING_SERVICE = "MG" + "0" * 32
CREATED_AFTER = {
    Fault.DROP_AFTER,
    Fault.HANG_AFTER,
    Fault.ERROR_AFTER,
    Fault.CUT_AFTER,
    Fault.GARBAGE_AFTER,
}
ADDRESS = {
    "name": "ADA",
    "address_line1": "1 King St",
    "address_city": "Troy",
    "address_state": "NY",
    "address_zip": "12180",
}


def ask(
    url: str,
    method: str,
    path: str,
    head: dict[str, str] | None = None,
    body: bytes = b"",
    timeout: float = 5,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    address = urlsplit(url)
    peer = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    with contextlib.closing(peer):
        peer.request(method, path, body, head or {})
        response = peer.getresponse()
        return response.status, response.headers, response.read()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def mail(delivery: str = "d1", **other: Any) -> dict[str, Any]:
    block = {
        "to": [{"email": "ada@acme.example"}],
        "cc": [{"email": "ben@acme.example"}],
        "custom_args": {"dunning_delivery_id": delivery},
    }
    return {
        "personalizations": [block | other.pop("block", {})],
        "from": {"email": "sam@amber.example"},
        "subject": "Invoice",
        "content": [{"type": "text/plain", "value": "Please pay."}],
    } | other


def sendgrid(on: StandIns, path: str, value: Any, timeout: float = 5) -> tuple[int, Any, bytes]:
    return ask(
        on.sendgrid_url,
        "POST",
        path,
        {"Authorization": f"Bearer {on.keys.sendgrid}", "Content-Type": "application/json"},
        json.dumps(value).encode(),
        timeout,
    )


def send_mail(on: StandIns, delivery: str = "d1", timeout: float = 5) -> tuple[int, Any, bytes]:
    return sendgrid(on, "/v3/mail/send", mail(delivery), timeout)


def sms(delivery: str = "d1", **other: str) -> dict[str, str]:
    callback = f"{PUBLIC}/webhooks/twilio/status/{delivery}"
    form = {"To": "+33612345678", "From": "+15005550006", "Body": "Please pay."}
    return form | {"StatusCallback": callback} | other


def messages(on: StandIns) -> str:
    return f"/2010-04-01/Accounts/{on.keys.twilio_account}/Messages.json"


def send_sms(
    on: StandIns, delivery: str = "d1", timeout: float = 5, **other: str
) -> tuple[int, Any, bytes]:
    head = {"Authorization": basic(on.keys.twilio_account, on.keys.twilio_token)}
    head["Content-Type"] = "application/x-www-form-urlencoded"
    body = urlencode(sms(delivery, **other)).encode()
    return ask(on.twilio_url, "POST", messages(on), head, body, timeout)


def letter(delivery: str = "d1", **other: Any) -> dict[str, Any]:
    return {
        "to": ADDRESS,
        "from": ADDRESS,
        "file": "%PDF-1.7",
        "color": False,
        "use_type": "operational",
        "metadata": {"dunning_delivery_id": delivery},
    } | other


def send_letter(
    on: StandIns, delivery: str = "d1", timeout: float = 5, key: str = "", **other: Any
) -> tuple[int, Any, bytes]:
    head = {"Authorization": basic(on.keys.lob, ""), "Content-Type": "application/json"}
    if key:
        head["Idempotency-Key"] = key
    body = json.dumps(letter(delivery, **other)).encode()
    return ask(on.lob_url, "POST", "/v1/letters", head, body, timeout)


SENDS = {"sendgrid": send_mail, "twilio": send_sms, "lob": send_letter}
SUCCESS = {"sendgrid": 202, "twilio": 201, "lob": 200}
