"""`python -m bench.webhooks [events a second] [seconds]`: how fast callbacks are answered.

One API process on the embedded PostgreSQL. Each event comes in a signed post of its own, from
SendGrid, Twilio and Lob in turn, at a steady rate; the floor in the same run is a request with one
statement (`/readyz`). The callbacks are stored; no worker takes them in meanwhile.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import itertools
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlmodel import func, select
from twilio.request_validator import RequestValidator

from local.standalone import Embedded
from stand_ins.api_process import api_process
from store import tables as t
from store.engine import connect, migrate, transaction

KEY = ec.generate_private_key(ec.SECP256R1())
TOKEN, SECRET, BASE = "twilio-token", "lob-secret", "https://we.example"

Post = tuple[str, bytes, dict[str, str]]


def sendgrid() -> Post:
    stamp = str(int(time.time()))
    event = {
        "event": "delivered",
        "email": "eve@acme.example",
        "timestamp": int(stamp),
        "dunning_delivery_id": str(uuid.uuid4()),
        "sg_event_id": uuid.uuid4().hex,
    }
    body = json.dumps([event]).encode() + b"\r\n"
    signature = KEY.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    headers = {
        "content-type": "application/json",
        "x-twilio-email-event-webhook-timestamp": stamp,
        "x-twilio-email-event-webhook-signature": base64.b64encode(signature).decode(),
    }
    return "/webhooks/sendgrid", body, headers


def twilio() -> Post:
    path = f"/webhooks/twilio/status/{uuid.uuid4()}"
    form = {"MessageSid": "SM" + uuid.uuid4().hex, "MessageStatus": "delivered"}
    signature = RequestValidator(TOKEN).compute_signature(BASE + path, form)
    kind = "application/x-www-form-urlencoded"
    return path, urlencode(form).encode(), {"content-type": kind, "x-twilio-signature": signature}


def lob() -> Post:
    letter = {"id": "ltr_1", "metadata": {"dunning_delivery_id": str(uuid.uuid4())}}
    body = json.dumps({"id": "evt_1", "event_type": {"id": "letter.mailed"}, "body": letter})
    stamp = str(int(time.time()))
    signature = hmac.new(SECRET.encode(), f"{stamp}.{body}".encode(), "sha256").hexdigest()
    headers = {
        "content-type": "application/json",
        "lob-signature-timestamp": stamp,
        "lob-signature": signature,
    }
    return "/webhooks/lob", body.encode(), headers


async def at_a_rate(
    client: httpx.AsyncClient, rate: float, seconds: float, ask: Callable[[], httpx.Request]
) -> list[float]:
    """The answer times in seconds. Raises HTTPStatusError when one is no success."""
    times: list[float] = []

    async def one(request: httpx.Request) -> None:
        began = time.perf_counter()
        answer = await client.send(request)
        times.append(time.perf_counter() - began)
        answer.raise_for_status()

    began, tasks = time.perf_counter(), []
    for n in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(one(ask())))
    await asyncio.gather(*tasks)
    return times


def shown(name: str, times: list[float]) -> float:
    ranked = sorted(1000 * t for t in times)
    at = {p: ranked[min(len(ranked) - 1, int(len(ranked) * p))] for p in (0.5, 0.95, 0.99)}
    places = "  ".join(f"{p:.0%} {milliseconds:6.1f}" for p, milliseconds in at.items())
    print(f"  {name:10} {len(ranked):6} answers  {places}  slowest {ranked[-1]:6.1f} ms")
    return statistics.median(ranked)


async def measure(base: str, rate: float, seconds: float) -> list[float]:
    turn = itertools.cycle((sendgrid, twilio, lob))
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:

        def ask() -> httpx.Request:
            path, body, headers = next(turn)()
            return client.build_request("POST", path, content=body, headers=headers)

        await at_a_rate(client, rate, 2, ask)  # warm
        floor = await at_a_rate(
            client, rate, seconds, lambda: client.build_request("GET", "/readyz")
        )
        times = await at_a_rate(client, rate, seconds, ask)
    floor_median = shown("floor", floor)
    ratio = shown("callbacks", times) / floor_median
    over = sum(t > 0.05 for t in times)
    print(f"  {ratio:.1f} times the floor; {over} of {len(times)} took 50 ms or more")
    return times


def settings(database_url: str) -> dict[str, str]:
    der, info = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    public = KEY.public_key().public_bytes(der, info)
    return {
        "DUNNING_DATABASE_URL": database_url,
        "DUNNING_PUBLIC_BASE_URL": BASE,
        "DUNNING_SENDGRID_API_KEY": "SG.bench",
        "DUNNING_SENDGRID_WEBHOOK_KEYS": base64.b64encode(public).decode(),
        "DUNNING_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "DUNNING_TWILIO_AUTH_TOKEN": TOKEN,
        "DUNNING_TWILIO_SENDER": "+15005550006",
        "DUNNING_LOB_API_KEY": "test_bench",
        "DUNNING_LOB_SENDER": "Amber; 185 Berry St; San Francisco; CA; 94107",
        "DUNNING_LOB_WEBHOOK_SECRETS": SECRET,
    }


def main(rate: float, seconds: float) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="dunning-", ignore_cleanup_errors=True) as folder,
        Embedded(Path(folder), temporal=None) as services,
    ):
        migrate(services.database_url)
        with api_process(settings(services.database_url)) as base:
            print(f"{rate:.0f} a second for {seconds:.0f} s")
            times = asyncio.run(measure(base, rate, seconds))
        engine = connect(services.database_url)
        with transaction(engine) as session:
            stored = session.exec(select(func.count()).select_from(t.Callback)).one()
        engine.dispose()
        print(f"  {stored} stored, {len(times) + int(rate * 2)} answered with success")


if __name__ == "__main__":
    main(*(float(a) for a in (sys.argv[1:] + ["200", "10"][len(sys.argv) - 1 :])[:2]))
