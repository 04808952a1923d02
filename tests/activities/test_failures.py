"""Failures stored in Temporal have the class of an error and our own text, but no personal data."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from providers.port import NotSent
from stand_ins.town import Provider, Town
from store import tables as t
from tests.cast.scripted import Clerk, Sequence, rest, until, working
from tests.cast.skipping import Skipping
from tests.test_logs import ADDRESS, refused

pytestmark = pytest.mark.services


async def failing(acme: Sequence) -> Failure:
    """The last failure of the activity that is being retried, as the Temporal UI shows it."""

    async def failed() -> bool:
        pending = (await acme.handle.describe()).raw_description.pending_activities
        return bool(pending) and pending[0].HasField("last_failure")

    await until(failed)
    return (await acme.handle.describe()).raw_description.pending_activities[0].last_failure


def every_word(failure: Failure) -> str:
    """All of its text, plain and in base64."""
    raw = failure.SerializeToString()
    return raw.decode("latin-1") + base64.b64encode(raw).decode()


async def test_a_database_error_shows_no_address_in_temporal(
    skipping: Skipping, engine: Engine
) -> None:
    error = refused(engine)
    async with working(skipping, Clerk(error, rest())) as acme:
        await acme.begin()
        failure = await failing(acme)
    assert "acme" not in every_word(failure)
    assert failure.application_failure_info.type == "IntegrityError"
    assert failure.message.startswith("UniqueViolation 23505 (address_once, one_address)")
    assert not failure.HasField("cause")
    # The first line of the traceback is in our code, not in the SDK.
    assert failure.stack_trace.strip().partition("\n")[0].split('"')[1].endswith("scripted.py")


async def test_an_unexpected_error_shows_its_class_and_its_place(
    skipping: Skipping,
) -> None:
    error = ValueError(f"cannot write to {ADDRESS}")
    error.__cause__ = KeyError(ADDRESS)
    async with working(skipping, Clerk(error, rest())) as acme:
        await acme.begin()
        failure = await failing(acme)
    assert "acme" not in every_word(failure)
    assert failure.message == "ValueError"
    assert not failure.HasField("cause")


async def test_an_application_error_keeps_its_text_and_its_retry_delay(skipping: Skipping) -> None:
    error = ApplicationError("the outbox is full", next_retry_delay=timedelta(hours=3))
    error.__cause__ = ValueError(ADDRESS)
    async with working(skipping, Clerk(error, rest())) as acme:
        await acme.begin()
        failure = await failing(acme)
    assert failure.message == "the outbox is full"
    assert failure.application_failure_info.next_retry_delay.ToTimedelta() == timedelta(hours=3)
    assert "acme" not in every_word(failure)


def test_a_providers_text_is_stored_with_the_delivery_and_not_sent_to_temporal(
    engine: Engine,
) -> None:
    town = Town(engine, Provider(NotSent(f"421 {ADDRESS} is throttled", timedelta(minutes=2))))
    town.customer()
    town.at("2025-03-03 10:00")
    town.invoice("INV-1", "2025-03-03")
    town.review()
    town.at("2025-03-04 08:30")
    with pytest.raises(ApplicationError) as caught:
        town.send()
    (delivery,) = town.rows_of(t.Delivery)
    assert ADDRESS in delivery.error
    assert caught.value.message == (
        "stand-in has not taken the message: it stays, and is tried again; the reason is the "
        f"error of delivery {delivery.id}"
    )
    assert caught.value.next_retry_delay == timedelta(minutes=2)
    assert caught.value.category is ApplicationErrorCategory.BENIGN


def test_the_error_used_in_these_tests_quotes_an_address(engine: Engine) -> None:
    """Guards the tests above: without an address in the error they would pass for no reason."""
    assert ADDRESS in str(refused(engine).orig)
