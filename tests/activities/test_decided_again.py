"""A message is decided again just before it is sent (rule 36), also when it is late (rule 21)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from store import tables as t
from store.engine import transaction
from tests.cast.first_reminder import (
    DUE,
    due_today,
)

pytestmark = pytest.mark.services


def test_a_send_waits_for_an_uncommitted_payment_and_then_sends_nothing(engine: Engine) -> None:
    """The payment holds the customer's lock when the timer fires: nothing is sent."""
    town = due_today(engine)
    with ThreadPoolExecutor(1) as pool:
        with transaction(engine) as session:
            town.pays(session, "INV-1")
            session.flush()
            sending = pool.submit(town.send)
            with pytest.raises(TimeoutError):
                sending.result(0.3)
        assert sending.result(20).owes_nothing
    assert town.provider.tried == []
    assert town.rows(t.Delivery) == []


@pytest.mark.parametrize(
    "happening",
    ["paid", "credited", "paused", "disputed", "contact"],
)
def test_a_send_decides_again_before_the_claim(engine: Engine, happening: str) -> None:
    town = due_today(engine)
    if happening == "paid":
        town.pay("INV-1")
    elif happening == "credited":
        town.pay("INV-1", applied=False)
    elif happening == "paused":
        with transaction(engine) as session:
            session.add(t.Pause(customer_id=town.key_of("acme"), created_by="Ben"))
    elif happening == "disputed":
        town.change(t.Invoice, disputed_at=town.now)
    else:
        town.email_is("bounced")
    coming = town.send()
    assert town.provider.tried == []
    assert coming.then is None
    assert coming.state == ("await_owner" if happening == "contact" else "rest")
    assert [s for _, s in town.actions()] in (["to_do"], ["withdrawn"], ["withdrawn", "to_do"])


def test_a_message_is_never_moved_to_another_invoice(engine: Engine) -> None:
    """INV-1 is paid at 08:29. INV-2 carries now and gets a decision and a message of its own."""
    town = due_today(engine)
    town.invoice("INV-2", DUE, "250")
    town.pay("INV-1")
    town.send()
    assert [m.subject for m in town.provider.tried] in ([], ["INV-2: €250.00 open"])
    numbers = {i.id: i.number for i in town.rows(t.Invoice)}
    of = {a.id: numbers[a.invoice_id] for a in town.rows(t.Action)}
    for row in town.rows(t.Delivery):
        assert of[row.action_id] == "INV-2"


@pytest.mark.parametrize(
    ("really", "sent", "next_at"),
    [
        ("2025-03-04 08:31", True, None),
        ("2025-03-04 16:59", True, None),  # an outage: late the same day
        ("2025-03-04 17:01", False, "2025-03-05T07:30:00+00:00"),
        ("2025-03-04 23:30", False, "2025-03-05T07:30:00+00:00"),
        ("2025-03-05 03:00", False, "2025-03-05T07:30:00+00:00"),
        ("2025-03-07 22:00", False, "2025-03-10T07:30:00+00:00"),  # after Friday comes Monday
    ],
)
def test_an_activity_that_waited_in_a_queue_does_not_send_at_night(
    engine: Engine, really: str, sent: bool, next_at: str | None
) -> None:
    """The timer fired on Tuesday at 08:30; a worker starts the activity only at the given time."""
    town = due_today(engine)
    eight_thirty = town.now
    town.at(really)
    coming = town.send(clock=eight_thirty)
    assert len(town.provider.tried) == int(sent)
    if not sent:
        assert (coming.state, coming.then) == ("wait", "email")
        assert coming.until is not None
        assert coming.until.isoformat() == next_at
        assert town.send(clock=eight_thirty).until == coming.until  # and again
        assert town.provider.tried == []
