"""Two accounts at one provider, over HTTP: the installation's and an organisation's own.

Only the account that sent a message retries it, is asked about it, and reports on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from activities.outbox_channels import outbox_channels
from activities.own_accounts import OwnAccounts
from activities.sending import Sending
from backoffice.delivery.answers import send_again
from backoffice.delivery.outgoing import Outgoing
from backoffice.people import provider_accounts
from backoffice.people.vault import Vault, new_secret_key
from dunning.plan import ActionType
from providers.registry import account, channel
from stand_ins.providers import Fault, Faults, Habits, Keys, StandIns
from stand_ins.town import Provider, Town, email, plan
from store import tables as t
from store.engine import transaction
from store.unit import Unit

pytestmark = pytest.mark.services

PUBLIC = "https://dunning.example"

NO_CALLS = Habits(delay=0, twice=0, early=0, opened=0)

HOME = {
    "line1": "185 Berry St",
    "city": "San Francisco",
    "region": "CA",
    "postal_code": "94107",
    "country": "US",
}

KINDS = {"letter": "lob", "sms": "twilio"}


class Clock:
    """The clock of the stand-ins: it follows the town's, so that a look-up finds the right
    dates."""

    now = datetime(2025, 3, 4, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def keys(n: int) -> Keys:
    return Keys(twilio_account=f"AC{n:032}", lob=f"live_{n}")


@pytest.fixture
def house(clock: Clock) -> Iterator[StandIns]:
    """The provider stand-ins where the installation has its accounts."""
    with StandIns(habits=NO_CALLS, keys=keys(1), clock=clock) as house:
        yield house


@pytest.fixture
def theirs(clock: Clock) -> Iterator[StandIns]:
    """The provider stand-ins where Amber & Sons have accounts of their own."""
    with StandIns(habits=NO_CALLS, keys=keys(2), clock=clock) as theirs:
        yield theirs


def given(at: StandIns, kind: str, **more: Any) -> dict[str, Any]:
    """The credentials of the account at these stand-ins."""
    if kind == "letter":
        return {
            "api_key": at.keys.lob,
            "sender": HOME,
            "sender_name": "Amber & Sons",
            "host": f"{at.lob_url}/v1",
            **more,
        }
    return {
        "account_sid": at.keys.twilio_account,
        "auth_token": at.keys.twilio_token,
        "sender": "+15005550006",
        "host": at.twilio_url,
        **more,
    }


class Firm:
    """Amber & Sons, whose first letter or SMS to Acme is due now: Tuesday 4 March 2025, 08:30."""

    def __init__(self, engine: Engine, house: StandIns, clock: Clock, kind: str = "letter") -> None:
        self.engine, self.kind = engine, kind
        self.vault = Vault((new_secret_key(),))
        step = email("one", 1, type=kind, subject="", body="Pay {{ invoice.number }}")
        self.town = Town(engine, Provider(), plan(step, email("two", 30)))
        self.installed(given(house, kind))
        self.town.at("2025-03-03 10:00")
        self.town.customer(phone="+33612345678", postal=HOME, country="US")
        self.town.invoice("INV-1", "2025-03-03")
        self.town.review()
        self.town.at("2025-03-04 08:30")
        clock.now = self.town.now

    def installed(self, values: dict[str, Any]) -> None:
        """Run the worker with this account of the installation in place of any earlier one."""
        provider = KINDS[self.kind]
        made = channel(provider, account(provider, values), PUBLIC)
        outbox = outbox_channels(self.engine, None)
        outgoing = Outgoing(
            {**outbox, ActionType(self.kind): made},
            outbox,
            lambda: self.town.now,
            own=OwnAccounts(self.vault, PUBLIC),
            public_url=PUBLIC,
        )
        self.town.sending = Sending(self.engine, outgoing)

    def has_own(self, values: dict[str, Any]) -> None:
        with transaction(self.engine) as session:
            provider_accounts.put(
                Unit(session, self.town.id, by="Ada"), self.vault, KINDS[self.kind], values, {}
            )

    def has_none(self) -> None:
        with transaction(self.engine) as session:
            provider_accounts.remove(Unit(session, self.town.id), KINDS[self.kind])

    def send(self) -> Any:
        return self.town.send(self.kind)

    def look_up(self) -> Any:
        return self.town.look_up(self.kind)

    @property
    def delivery(self) -> t.Delivery:
        (row,) = self.town.rows(t.Delivery)
        return row  # type: ignore[no-any-return]

    @property
    def doubt(self) -> str:
        (row,) = [a for a in self.town.rows(t.Action) if a.status == "needs_review"]
        return str(row.reason)


def handed_over(*every: StandIns) -> list[int]:
    return [len(one.ledger.entries()) for one in every]


@pytest.mark.parametrize("kind", ["letter", "sms"])
def test_a_message_leaves_by_the_organisations_own_account(
    engine: Engine, house: StandIns, theirs: StandIns, clock: Clock, kind: str
) -> None:
    firm = Firm(engine, house, clock, kind)
    firm.has_own(given(theirs, kind))
    assert firm.send().state == "wait"
    assert handed_over(house, theirs) == [0, 1]
    assert firm.delivery.status == "accepted"
    assert firm.delivery.account == account(KINDS[kind], given(theirs, kind)).mark


def test_a_rehearsal_does_not_use_own_accounts(
    engine: Engine, house: StandIns, theirs: StandIns, clock: Clock
) -> None:
    firm = Firm(engine, house, clock)
    firm.has_own(given(theirs, "letter"))
    firm.town.change(t.Organisation, rehearsal_now=firm.town.now)
    firm.send()
    assert handed_over(house, theirs) == [0, 0]
    assert firm.delivery.provider == "outbox"


@pytest.mark.parametrize("change", ["set", "changed", "deleted", "installation's"])
@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.ERROR_BEFORE])
def test_an_unknown_letter_is_not_retried_after_its_account_was_changed(
    engine: Engine, house: StandIns, theirs: StandIns, clock: Clock, change: str, fault: Fault
) -> None:
    """Only the first account knows whether the first attempt left. At another account the same
    idempotency key would print a second letter."""
    firm = Firm(engine, house, clock)
    first, second = house, theirs
    if change in ("changed", "deleted"):
        first, second = theirs, house
        firm.has_own(given(theirs, "letter"))
    first.faults = Faults.only(fault)
    assert firm.send().look_up
    if change == "deleted":
        firm.has_none()
    elif change == "installation's":
        firm.installed(given(second, "letter"))
    else:
        firm.has_own(given(second, "letter"))
    first.faults = Faults.none()
    asked = [sum(s.played()["lob"].values()) for s in (first, second)]
    coming = firm.look_up()
    assert coming.state == "await_owner"
    assert [
        sum(s.played()["lob"].values()) for s in (first, second)
    ] == asked  # no look-up was made
    assert handed_over(first, second) == [int(fault is Fault.DROP_AFTER), 0]
    assert "another account at lob than the one in use now" in firm.doubt
    assert firm.delivery.status == "needs_review"


def test_an_unknown_letter_is_retried_under_its_key_at_the_same_own_account(
    engine: Engine, house: StandIns, theirs: StandIns, clock: Clock
) -> None:
    """Saving its credentials with another webhook secret leaves it the same account."""
    firm = Firm(engine, house, clock)
    firm.has_own(given(theirs, "letter"))
    theirs.faults = Faults.only(Fault.ERROR_BEFORE)
    assert firm.send().look_up
    firm.has_own(given(theirs, "letter", webhook_secrets=["new"]))
    theirs.faults = Faults.none()
    assert firm.look_up().state == "wait"
    assert handed_over(house, theirs) == [0, 1]
    assert (firm.delivery.status, firm.delivery.sends) == ("accepted", 2)


def test_a_letter_is_looked_up_at_the_own_account_that_sent_it(
    engine: Engine, house: StandIns, theirs: StandIns, clock: Clock
) -> None:
    firm = Firm(engine, house, clock)
    firm.has_own(given(theirs, "letter"))
    theirs.faults = Faults.only(Fault.DROP_AFTER)
    assert firm.send().look_up
    assert firm.look_up().state == "wait"
    assert handed_over(house, theirs) == [0, 1]
    (entry,) = theirs.ledger.entries()
    assert firm.delivery.provider_id == entry.provider_id


def test_a_restored_account_is_asked_about_its_messages(
    engine: Engine, house: StandIns, theirs: StandIns, clock: Clock
) -> None:
    """Changed by mistake, and changed back before the look-up."""
    firm = Firm(engine, house, clock)
    house.faults = Faults.only(Fault.DROP_AFTER)
    assert firm.send().look_up
    firm.has_own(given(theirs, "letter"))
    firm.has_none()
    assert firm.look_up().state == "wait"
    assert firm.delivery.status == "accepted"


def test_an_unknown_sms_is_looked_up_after_twilios_token_was_replaced(
    engine: Engine, house: StandIns, theirs: StandIns, clock: Clock
) -> None:
    """The account has the same id, so its messages are looked up with the new token."""
    firm = Firm(engine, house, clock, "sms")
    theirs.faults = Faults.only(Fault.DROP_AFTER)
    firm.has_own(given(theirs, "sms"))
    assert firm.send().look_up
    new = {"api_key_sid": theirs.keys.twilio_key, "api_key_secret": theirs.keys.twilio_key_secret}
    firm.has_own(given(theirs, "sms", auth_token="replaced", **new))
    assert firm.look_up().state == "wait"
    assert firm.delivery.status == "accepted"


def test_an_unknown_sms_is_not_looked_up_at_another_twilio_account(
    engine: Engine, house: StandIns, theirs: StandIns, clock: Clock
) -> None:
    """It would answer "not found", and the owner would be told to send the message again."""
    firm = Firm(engine, house, clock, "sms")
    house.faults = Faults.only(Fault.DROP_AFTER)
    assert firm.send().look_up
    firm.has_own(given(theirs, "sms"))
    assert firm.look_up().state == "await_owner"
    assert theirs.played()["twilio"].total() == 0
    assert "another account at twilio than the one in use now" in firm.doubt


def test_the_owner_of_a_letter_in_doubt_can_send_it_by_the_account_in_use(
    engine: Engine, house: StandIns, theirs: StandIns, clock: Clock
) -> None:
    firm = Firm(engine, house, clock)
    house.faults = Faults.only(Fault.ERROR_BEFORE)
    assert firm.send().look_up
    firm.has_own(given(theirs, "letter"))
    firm.look_up()
    (row,) = [a for a in firm.town.rows(t.Action) if a.status == "needs_review"]
    with transaction(engine) as session:
        ben = session.get_one(t.Member, row.owner_id)
        send_again(Unit(session, ben.organisation_id, firm.town.now), ben, str(row.id), "")
    assert firm.town.review().then == "letter"
    firm.send()
    assert handed_over(house, theirs) == [0, 1]
    assert firm.delivery.account == account("lob", given(theirs, "letter")).mark
