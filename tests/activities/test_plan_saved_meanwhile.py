"""A plan is saved between planning and sending: the message follows the plan at the time of sending
(rules 36 and 43), on the channel of its type. A refusal marks only the address that was used."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine
from temporalio.exceptions import ApplicationError

from activities.outbox_channels import outbox_channels
from activities.sending import Sending
from backoffice.delivery.outgoing import Outgoing
from backoffice.people.plans import put_plan
from dunning.plan import ActionType
from messages.check import check_texts
from messages.message import Message, Role
from providers.port import Accepted, NotSent, Rejected, Result
from stand_ins.town import Provider, Town, call, email, plan
from store import tables as t
from store.engine import transaction
from store.unit import Unit

pytestmark = pytest.mark.services

EVE, PHONE = "eve@acme.example", "+33612345678"
LATER = email("two", 8)


def like_twilio(message: Message) -> Result:
    """Rejects an address that is no phone number as an invalid recipient."""
    (to,) = message.addressed(Role.TO)
    if not to.address.startswith("+"):
        return Rejected("the number is not in E.164", "21211", recipient_invalid=True)
    return Accepted("SM1")


def planned(engine: Engine, step: dict[str, Any], *script: Any, phone: str | None = PHONE) -> Town:
    """Acme's first reminder was planned on Monday, and is due now: Tuesday, 08:30."""
    town = Town(engine, Provider(*script), plan(step, LATER))
    texting = Provider(like_twilio, kind=ActionType.SMS)
    outbox = outbox_channels(engine, None)
    channels = {**outbox, ActionType.EMAIL: town.provider, ActionType.SMS: texting}
    town.sending = Sending(engine, Outgoing(channels, outbox, lambda: town.now))
    town.texting = texting  # type: ignore[attr-defined]
    town.at("2025-03-03 10:00")
    town.customer(phone=phone)
    town.invoice("INV-1", "2025-03-03")
    assert town.review().then == step["type"]
    town.at("2025-03-04 08:30")
    return town


def texts(town: Town) -> list[Message]:
    return town.texting.tried  # type: ignore[attr-defined,no-any-return]


def saves(town: Town, *steps: dict[str, Any]) -> str:
    """Save the plan; returns the id of its new version."""
    with transaction(town.engine) as session:
        return str(put_plan(Unit(session, town.id), plan(*steps, LATER), check_texts)[0].id)


def first_action(town: Town) -> t.Action:
    (row,) = [a for a in town.rows(t.Action) if a.step_key == "one" and a.status != "withdrawn"]
    return row  # type: ignore[no-any-return]


def test_a_step_changed_from_email_to_sms_leaves_as_an_sms(engine: Engine) -> None:
    town = planned(engine, email("one", 1))
    version = saves(town, email("one", 1, type="sms", name="A short one", subject=""))
    coming = town.send("email")  # the timer was set for an email
    assert (coming.state, coming.then) == ("send", "sms")
    assert town.send("sms").state == "wait"
    assert town.provider.tried == []
    (sms,) = texts(town)
    assert (sms.channel, [r.address for r in sms.recipients]) == (ActionType.SMS, [PHONE])
    row = first_action(town)
    assert (row.status, row.type, row.executed_type) == ("done", "sms", "sms")
    assert (row.name, str(row.plan_version_id)) == ("A short one", version)
    (delivery,) = town.rows(t.Delivery)
    assert (delivery.channel, delivery.message["channel"]) == ("sms", "sms")
    assert (town.invalid(), town.invalid("phone")) == ([""], [""])


def test_a_message_leaves_with_the_text_of_the_saved_plan(engine: Engine) -> None:
    town = planned(engine, email("one", 1))
    version = saves(town, email("one", 1, name="Kinder", subject="Dear Acme", body="New words."))
    assert town.send().state == "wait"
    (message,) = town.provider.tried
    assert (message.subject, message.text.strip()) == ("Dear Acme", "New words.")
    row = first_action(town)
    assert (row.status, row.name, str(row.plan_version_id)) == ("done", "Kinder", version)


def test_the_recorded_trigger_date_is_that_of_the_saved_plan(engine: Engine) -> None:
    """Rule 19 compares the trigger dates of what was sent."""
    town = planned(engine, email("one", 3))
    saves(town, email("one", 1))
    town.send()
    row = first_action(town)
    assert (row.status, f"{row.trigger_on}") == ("done", "2025-03-04")


def test_an_automatic_step_changed_to_a_call_becomes_a_to_do_of_the_owner(engine: Engine) -> None:
    """The planned row becomes the to-do, because an attempt has one row."""
    town = planned(engine, email("one", 1))
    version = saves(town, call("one", 1))
    assert town.send().state == "await_owner"
    assert town.provider.tried == []
    row = first_action(town)
    assert (row.status, row.type, row.automatic, row.name) == ("to_do", "call", False, "Call one")
    assert (str(row.plan_version_id), row.owner_id is not None) == (version, True)


def test_the_to_do_for_a_missing_address_has_the_type_of_the_saved_plan(engine: Engine) -> None:
    town = planned(engine, email("one", 1), phone=None)
    version = saves(town, email("one", 1, type="sms", subject=""))
    town.send()
    assert (town.provider.tried, texts(town)) == ([], [])
    row = first_action(town)
    assert (row.status, row.type, row.cause) == ("to_do", "sms", "no_recipient")
    assert str(row.plan_version_id) == version


def test_after_a_failed_send_the_message_is_rendered_from_the_saved_plan(engine: Engine) -> None:
    """SendGrid is down at 08:30, the step is changed to an SMS, and Twilio refuses the number: the
    number is marked invalid, not the email address."""
    town = planned(engine, email("one", 1), NotSent("down"))
    with pytest.raises(ApplicationError):
        town.send()
    saves(town, email("one", 1, type="sms", subject=""))
    assert town.send("email").then == "sms"
    town.texting.script = [  # type: ignore[attr-defined]
        Rejected("not in service", "21211", recipient_invalid=True)
    ]
    town.send("sms")
    (delivery,) = town.rows(t.Delivery)
    assert (delivery.channel, delivery.status) == ("sms", "rejected")
    assert (town.invalid(), town.invalid("phone")) == ([""], ["not in service"])
    (recipient,) = town.rows_of(t.DeliveryRecipient)
    assert recipient.address == PHONE


def test_a_review_before_the_sending_time_plans_the_step_of_the_saved_plan(engine: Engine) -> None:
    town = planned(engine, email("one", 1))
    town.at("2025-03-04 08:00")
    saves(town, email("one", 1, type="sms", subject=""))
    assert town.review().then == "sms"
    town.at("2025-03-04 08:30")
    town.send("sms")
    assert [m.channel for m in texts(town)] == [ActionType.SMS]


def test_a_rejection_by_a_channel_of_another_type_marks_no_address(engine: Engine) -> None:
    """A message on a channel of another type is a bug of ours, and no sign of a wrong address."""
    town = planned(engine, email("one", 1), Rejected("no E.164", "21211", recipient_invalid=True))
    town.provider.type = ActionType.SMS
    town.send()
    assert (town.invalid(), town.invalid("phone")) == ([""], [""])
    assert first_failure(town).cause == "rejected"


def first_failure(town: Town) -> t.Action:
    (row,) = [a for a in town.rows(t.Action) if a.status == "failed"]
    return row  # type: ignore[no-any-return]
