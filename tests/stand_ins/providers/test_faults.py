"""The stand-ins accept messages, fail on request and keep a ledger."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import threading
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest

from stand_ins.providers import Fault, Faults, StandIns
from tests.cast.at_stand_ins import (
    CREATED_AFTER,
    HANG,
    PATIENCE,
    SENDS,
    SUCCESS,
    ask,
    basic,
    mail,
    messages,
    send_letter,
    send_mail,
    send_sms,
    sendgrid,
)


@pytest.mark.parametrize("provider", SENDS)
def test_without_faults_a_message_is_accepted_once_and_in_the_ledger(provider: str) -> None:
    with StandIns() as on:
        status, headers, body = SENDS[provider](on, "d7")
        (entry,) = on.ledger.of("d7")
    assert status == SUCCESS[provider]
    assert on.ledger.accepted("d7") == 1
    assert on.ledger.accepted("d8") == 0
    assert entry.provider == provider
    if provider == "sendgrid":
        assert (entry.provider_id, body) == (headers["X-Message-Id"], b"")
        assert entry.recipients == ("ada@acme.example", "ben@acme.example")
    elif provider == "twilio":
        told = json.loads(body)
        assert (told["sid"], told["status"]) == (entry.provider_id, "queued")
        assert told["date_sent"] is None
        assert entry.recipients == ("+33612345678",)
    else:
        told = json.loads(body)
        assert (told["id"], told["object"]) == (entry.provider_id, "letter")
        assert told["metadata"] == {"dunning_delivery_id": "d7"}


def test_without_an_idempotency_key_a_second_send_is_a_second_message() -> None:
    with StandIns() as on:
        for _ in range(2):
            send_mail(on, "mail")
            send_sms(on, "sms")
    assert on.ledger.counts() == {"mail": 2, "sms": 2}


@pytest.mark.parametrize("provider", SENDS)
@pytest.mark.parametrize("fault", [f for f in Fault if f is not Fault.OK])
def test_each_fault_has_the_effect_of_its_name(provider: str, fault: Fault) -> None:
    send = SENDS[provider]
    with StandIns(faults=Faults.only(fault, hang=HANG)) as on:
        before = time.time()
        if fault in {Fault.HANG_BEFORE, Fault.HANG_AFTER}:
            with pytest.raises(TimeoutError):
                send(on, timeout=PATIENCE)
        elif fault in {Fault.DROP_BEFORE, Fault.DROP_AFTER}:
            with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                send(on)
        elif fault in {Fault.GARBAGE_BEFORE, Fault.GARBAGE_AFTER}:
            with pytest.raises(http.client.BadStatusLine):
                send(on)
        elif fault is Fault.CUT_AFTER and provider != "sendgrid":
            with pytest.raises(http.client.IncompleteRead) as cut:
                send(on)
            assert cut.value.partial
        elif fault is Fault.CUT_AFTER:
            status, headers, _ = send(on)  # Python's client accepts a truncated head
            assert (status, headers["X-Message-Id"]) == (202, None)
        elif fault is Fault.LIMITED:
            status, headers, _ = send(on)
            assert status == 429
            assert 0 < _asked_to_wait(headers, before) <= 3
        else:
            status, _, body = send(on)
            assert status in ({500} if fault is Fault.ERROR_AFTER else {500, 503})
            assert json.loads(body)
        assert on.ledger.accepted("d1") == (1 if fault in CREATED_AFTER else 0)
        assert on.played()[provider] == {fault: 1}


def _asked_to_wait(headers: Any, now: float) -> float:
    for name in ("X-RateLimit-Reset", "ratelimit-reset"):
        if headers[name]:
            return int(headers[name]) - now
    return float(headers["Retry-After"])


def test_a_dropped_connection_is_closed_or_reset() -> None:
    seen: set[type] = set()
    with StandIns(faults=Faults.only(Fault.DROP_AFTER)) as on:
        for _ in range(30):
            with pytest.raises(ConnectionError) as dropped:
                send_sms(on)
            seen.add(type(dropped.value))
    assert seen == {http.client.RemoteDisconnected, ConnectionResetError}
    assert on.ledger.accepted("d1") == 30


def test_a_wrong_request_is_refused_before_any_fault() -> None:
    with StandIns(faults=Faults.only(Fault.ERROR_AFTER)) as on:
        assert send_sms(on, To="0612345678")[0] == 400
    assert on.ledger.entries() == []


def test_faults_occur_in_the_given_shares() -> None:
    chance, everything = random.Random(1), Faults.all(share=0.5, look_up_share=0.3)
    sends = Counter(everything.pick(chance, look_up=False) for _ in range(4000))
    look_ups = Counter(everything.pick(chance, look_up=True) for _ in range(4000))
    assert set(sends) == set(Fault)
    assert 1800 < sends[Fault.OK] < 2200
    assert all(130 < sends[fault] < 270 for fault in Fault if fault is not Fault.OK)
    assert set(look_ups) == {Fault.OK, Fault.ERROR_BEFORE, Fault.HANG_BEFORE, Fault.LIMITED}
    assert 2600 < look_ups[Fault.OK] < 3000
    assert Faults.none().pick(chance, look_up=False) is Fault.OK


def test_look_ups_have_faults_of_their_own() -> None:
    faults = Faults(look_up={Fault.ERROR_BEFORE: 1})
    with StandIns(faults=faults) as on:
        assert send_mail(on)[0] == 202
        assert sendgrid(on, "/v3/logs", {})[0] in {500, 503}
        on.faults = Faults.none()
        assert sendgrid(on, "/v3/logs", {})[0] == 200


def test_a_connection_serves_several_requests() -> None:
    with StandIns() as on:
        address = urlsplit(on.sendgrid_url)
        peer = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
        with contextlib.closing(peer):
            head = {"Authorization": f"Bearer {on.keys.sendgrid}"}
            head["Content-Type"] = "application/json"
            for _ in range(3):
                peer.request("POST", "/v3/mail/send", json.dumps(mail()), head)
                assert peer.getresponse().read() == b""
                assert peer.sock is not None, "the connection stays"
    assert on.ledger.accepted("d1") == 3


def test_a_wrong_key_is_refused() -> None:
    with StandIns() as on:
        assert ask(on.sendgrid_url, "POST", "/v3/mail/send", body=b"{}")[0] == 401
        wrong = {"Authorization": basic("AC", "x")}
        status, _, body = ask(on.twilio_url, "GET", messages(on), wrong)
        assert (status, json.loads(body)["code"]) == (401, 20003)
        assert ask(on.lob_url, "GET", "/v1/letters", wrong)[0] == 401
        with_key = {"Authorization": basic(on.keys.twilio_key, on.keys.twilio_key_secret)}
        assert ask(on.twilio_url, "GET", messages(on), with_key)[0] == 200


def test_a_second_request_with_the_idempotency_key_gets_the_lost_answer() -> None:
    with StandIns(faults=Faults.only(Fault.DROP_AFTER)) as on:
        with pytest.raises(ConnectionError):
            send_letter(on, key="k1")
        on.faults = Faults.none()
        told = json.loads(send_letter(on, key="k1")[2])
        (entry,) = on.ledger.of("d1")
    assert told["id"] == entry.provider_id


def test_under_load_every_message_is_counted_once() -> None:
    faults = Faults.all(share=0.6, hang=0.05)
    outcomes: Counter[str] = Counter()

    def work(name: str) -> None:
        for n in range(20):
            for provider, send in SENDS.items():
                try:
                    status = send(on, f"{provider}-{name}-{n}", 2)[0]
                    outcomes[str(status)] += 1
                except (OSError, http.client.HTTPException):
                    outcomes["lost"] += 1

    with StandIns(faults=faults, seed=7) as on:
        threads = [threading.Thread(target=work, args=(str(n),)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        played = on.played()
    assert sum(sum(faults.values()) for faults in played.values()) == 360
    for provider in SENDS:
        after = sum(played[provider][fault] for fault in {Fault.OK, *CREATED_AFTER})
        assert len(on.ledger.entries(provider)) == after
    assert set(on.ledger.counts().values()) == {1}
    assert outcomes["429"] > 0
    assert outcomes["lost"] > 0
