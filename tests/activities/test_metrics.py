"""Our own gauges, as Prometheus reads them from a worker."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterable, Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlmodel import Session
from temporalio.common import MetricMeter

from activities.metrics import Figure, Metrics
from activities.temporal import runtime_of
from backoffice.delivery import callbacks
from backoffice.people.held_accounts import Refusal, Via, refused, works
from dunning.learnt import CameIn
from dunning.plan import ActionType
from local.embedded.ports import take_port
from stand_ins.town import Town
from store.engine import transaction

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def endpoint() -> Iterator[tuple[MetricMeter, str]]:
    """The meter and the address of a worker's metrics, served for as long as the runtime exists."""
    port = take_port(0, "")
    runtime = runtime_of(f"127.0.0.1:{port}")
    yield runtime.metric_meter, f"http://127.0.0.1:{port}/metrics"
    del runtime


def shown(url: str) -> dict[str, float]:
    """Our gauges: the value by name with labels."""
    with urllib.request.urlopen(url, timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    found = (line.rsplit(" ", 1) for line in lines if line.startswith("dunning_"))
    own = ',service_name="temporal-core-sdk"', 'service_name="temporal-core-sdk"'
    return {
        name.replace(own[0], "").replace(own[1], "").replace("{}", ""): float(value)
        for name, value in found
    }


def test_gauges_count_waiting_nudges_and_callbacks(
    engine: Engine, endpoint: tuple[MetricMeter, str]
) -> None:
    meter, url = endpoint
    town = Town(engine)
    town.customer()
    town.customer("berg")
    with transaction(engine) as session:
        callbacks.store(session, CameIn(provider="lob"), "https://x.example", {}, b"{}")
    Metrics(engine, meter).read()
    found = shown(url)
    assert found["dunning_relay_waiting"] == 2
    assert 0 <= found["dunning_relay_oldest_seconds"] < 60
    assert found["dunning_callbacks_waiting"] == 1
    assert 0 <= found["dunning_callbacks_oldest_seconds"] < 60
    with transaction(engine) as session:
        for table in ("nudge", "callback"):
            session.connection().execute(sa.text(f"DELETE FROM {table}"))
    Metrics(engine, meter).read()
    assert set(shown(url).values()) == {0}


def test_a_gauge_counts_refused_and_unmatched_callbacks(
    engine: Engine, endpoint: tuple[MetricMeter, str]
) -> None:
    meter, url = endpoint
    with transaction(engine) as session:
        for _ in range(2):
            callbacks.store(session, CameIn(provider="twilio"), "https://x.example", {}, b"")
    with transaction(engine) as session:
        for row in callbacks.waiting(session, 2):
            callbacks.end(row, callbacks.UNMATCHED)
    Metrics(engine, meter).read()
    assert shown(url)['dunning_callbacks_left{outcome="unmatched",provider="twilio"}'] == 2


def test_a_gauge_that_is_no_longer_reported_shows_zero(
    engine: Engine, endpoint: tuple[MetricMeter, str]
) -> None:
    meter, url = endpoint
    held = ["lob", "twilio"]

    def reading(_: Session) -> Iterable[Figure]:
        return [Figure("dunning_test_held", 7, {"provider": name}) for name in held]

    metrics = Metrics(engine, meter, [reading])
    metrics.read()
    held.remove("lob")
    metrics.read()
    found = {name: value for name, value in shown(url).items() if "test_held" in name}
    assert found == {
        'dunning_test_held{provider="lob"}': 0,
        'dunning_test_held{provider="twilio"}': 7,
    }


def test_a_failing_reading_is_logged_and_the_others_are_exported(
    engine: Engine, endpoint: tuple[MetricMeter, str], caplog: pytest.LogCaptureFixture
) -> None:
    meter, url = endpoint

    def broken(_: Session) -> Iterable[Figure]:
        raise ZeroDivisionError("a mistake of ours")

    def sound(_: Session) -> Iterable[Figure]:
        return [Figure("dunning_test_sound", 3)]

    with caplog.at_level(logging.WARNING):
        Metrics(engine, meter, [broken, sound]).read()
    assert "broken could not be read: a mistake of ours" in caplog.text
    assert shown(url)["dunning_test_sound"] == 3


def test_gauges_count_held_accounts_and_their_waiting_messages(
    engine: Engine, endpoint: tuple[MetricMeter, str]
) -> None:
    meter, url = endpoint
    town = Town(engine)
    town.at("2025-03-03 10:00")
    customer = town.customer()
    town.invoice("INV-1", "2025-03-03")
    assert town.review().then == "email"  # due since 4 March 2025
    account = Via("sendgrid", "its account")
    with transaction(engine) as session:
        refused(session, Refusal(account, ActionType.EMAIL, None, "the key"), customer, town.now)
    metrics = Metrics(engine, meter)
    metrics.read()
    found = shown(url)
    assert found['dunning_held_accounts{provider="sendgrid"}'] == 1
    assert found['dunning_held_messages{channel="email"}'] == 1
    with transaction(engine) as session:
        works(session, account, None, town.now, town.now)
    metrics.read()
    assert shown(url)['dunning_held_accounts{provider="sendgrid"}'] == 0
