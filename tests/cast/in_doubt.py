"""An email of Ben's that is in doubt, and reports of its provider."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from activities.sending import Sending
from backoffice.delivery.outcomes import apply as apply_report
from backoffice.delivery.outgoing import Outgoing
from dunning.delivery import DeliveryFact
from dunning.learnt import CameIn, Report
from dunning.plan import ActionType
from messages.message import Message
from providers.port import Ambiguous, LookUp, NotFound, Result
from stand_ins.office import Office
from store.engine import transaction
from tests.cast.bens_actions import bens_letter
from workflows.contracts import SendInput


class LosesAnswers:
    """An email provider whose answers are lost and whose look-ups find nothing."""

    name = account = "loses"
    signers = ()
    type = ActionType.EMAIL
    idempotent = False

    def send(self, message: Message) -> Result:
        return Ambiguous("the connection was closed")

    def look_up(self, message: Message, since: datetime) -> LookUp:
        return NotFound()


def order(office: Office) -> SendInput:
    customer = office.ben.get("/customers/C-1")["id"]
    return SendInput(str(office.id), customer, office.now, "email")


def losing(office: Office, minutes: float) -> Sending:
    channels = {ActionType.EMAIL: LosesAnswers()}
    after = [timedelta(minutes=minutes)]
    return Sending(
        office.engine,
        Outgoing(channels, channels, lambda: office.now, look_up_after=after),
    )


def in_doubt(office: Office) -> str:
    """Ben's email was sent and is in doubt. Returns its path."""
    path = bens_letter(office)
    office.ben.does("POST", f"{path}/complete")
    sending = losing(office, 0)
    sending.send_email(order(office))
    assert sending.look_up(order(office)).state == "await_owner"
    office.nudges()
    return path


def report(
    office: Office, path: str, fact: DeliveryFact, address: str = "", **more: Any
) -> datetime:
    """Apply a provider's report as the worker does; returns the time of the report."""
    at = office.now - timedelta(minutes=1)
    delivery = office.ben.get(path)["delivery"]
    with transaction(office.engine) as session:
        made = Report(fact=fact, at=at, delivery_id=delivery["id"], address=address, **more)
        came_in = CameIn(provider=delivery["provider"])
        assert apply_report(session, made, came_in, datetime.now(UTC))
    return at
