"""The organisation "Amber & Sons" in Paris, used through the API: Ada (admin), Ben, Cleo, billing.

Its clock is that of a rehearsal: it moves only when a test moves it. It starts on Tuesday 4 March
2025, 09:00. Every office is an organisation of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine
from sqlmodel import col, select

from activities.deciding import decide_and_record
from activities.outbox_channels import outbox_channels
from activities.sending import Sending
from backoffice.delivery.outgoing import Outgoing
from backoffice.people.keys import BILLING, MEMBER, new_key
from backoffice.people.members import put_member
from dunning.ids import CustomerId
from store import tables as t
from store.engine import transaction
from store.unit import Unit
from workflows.contracts import SendInput

PARIS = ZoneInfo("Europe/Paris")

PLAN: dict[str, Any] = {
    "name": "Standard",
    "contact_delay_days": 5,
    "steps": [
        {
            "key": "mail",
            "name": "1st reminder",
            "type": "email",
            "automatic": True,
            "trigger": {"from": "due", "days": 1},
            "subject": "{{ invoice.number }} is overdue",
            "body": "Please pay {{ invoice.balance }}, {{ contact.name }}.",
        },
        {
            "key": "call",
            "name": "Call them",
            "type": "call",
            "trigger": {"from": "due", "days": 8},
            "owner": "assigned",
            "body": "Ask {{ contact.name }} about {{ invoice.number }}.",
        },
        {
            "key": "letter",
            "name": "A letter of ours",
            "type": "email",
            "trigger": {"from": "due", "days": 15},
            "owner": "assigned",
            "subject": "{{ invoice.number }}",
            "body": "This is serious.",
        },
    ],
}


class Caller:
    """An API client with a key."""

    def __init__(self, client: TestClient, key: str | None) -> None:
        self._client = client
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def __call__(self, method: str, path: str, **more: Any) -> Response:
        headers = {**self.headers, **more.pop("headers", {})}
        address = f"/v1{path}" if path.startswith("/") else path
        answer: Response = self._client.request(method, address, headers=headers, **more)
        return answer

    def get(self, path: str, **params: Any) -> Any:
        answer = self("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def does(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request that must succeed; returns its answer."""
        answer = self(method, path, **({"json": body} if body is not None else {}))
        assert answer.status_code in (200, 201, 204), answer.text
        return answer.json() if answer.content else None

    def fails(self, status: int, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Make a request that must fail with this status; returns its problem document."""
        if body is not None:
            more["json"] = body
        answer = self(method, path, **more)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == status
        assert {"type", "title", "detail", "instance", "errors"} <= set(problem)
        return problem


class Office:
    def __init__(self, engine: Engine, client: TestClient) -> None:
        self.engine, self.client = engine, client
        with transaction(engine) as session:
            organisation = t.Organisation(name="Amber & Sons")
            session.add(organisation)
            session.flush()
            self.id = organisation.id
            people = {
                name: put_member(
                    Unit(session, self.id), f"{name.lower()}@amber.example", name, role
                )
                for name, role in (("Ada", "admin"), ("Ben", "member"), ("Cleo", "member"))
            }
            keys = {n: new_key(Unit(session, self.id), MEMBER, n, m) for n, m in people.items()}
            billing = new_key(Unit(session, self.id), BILLING, "billing")
            self.ids = {name: str(member.id) for name, member in people.items()}
        self.ada, self.ben, self.cleo = (self.caller(keys[n]) for n in ("Ada", "Ben", "Cleo"))
        self.billing = self.caller(billing)
        self.at("2025-03-04 09:00")

    def caller(self, key: str | None) -> Caller:
        return Caller(self.client, key)

    def at(self, local: str) -> None:
        """Move the organisation's clock to a local time."""
        self.now = datetime.fromisoformat(local).replace(tzinfo=PARIS).astimezone(UTC)
        with transaction(self.engine) as session:
            session.get_one(t.Organisation, self.id).rehearsal_now = self.now

    def review(self, customer: str = "C-1") -> str:
        """Decide and record, as the worker does when it is woken; returns the state."""
        with transaction(self.engine) as session:
            unit = Unit(session, self.id, self.now)
            return decide_and_record(unit, self.customer_id(customer), 0).state

    def send(self, customer: str = "C-1") -> str:
        """Send an email to the outbox, as the worker does when a timer fires."""
        channels = outbox_channels(self.engine, None)
        sending = Sending(self.engine, Outgoing(channels, channels, lambda: self.now))
        order = SendInput(str(self.id), str(self.customer_id(customer)), self.now, "email")
        return sending.send_email(order).state

    def nudges(self) -> list[str]:
        """The signals of the waiting nudges, which are deleted as if the relay had sent them."""
        with transaction(self.engine) as session:
            mine = select(t.Nudge).where(t.Nudge.organisation_id == self.id)
            rows = session.exec(mine.order_by(col(t.Nudge.id))).all()
            for row in rows:
                session.delete(row)
            return [row.signal for row in rows]

    def customer_id(self, external_id: str) -> CustomerId:
        with transaction(self.engine) as session:
            return session.exec(
                select(col(t.Customer.id)).where(
                    t.Customer.organisation_id == self.id, t.Customer.external_id == external_id
                )
            ).one()

    # Facts that most tests begin with.

    def acme(self, *, due_on: str = "2025-03-03", email: str = "eve@acme.example") -> None:
        """Customer C-1 "Acme" with contact Eve, assigned to Ben, and its invoice INV-1 of 100
        EUR."""
        self.ada.does("PUT", "/plans/Standard", PLAN)
        self.billing.does("PUT", "/customers/C-1", acme_body(email))
        self.billing.does("PUT", "/invoices/INV-1", invoice_body(due_on=due_on))
        self.nudges()

    def bens_call(self) -> dict[str, Any]:
        """Acme's reminder was sent, and since 11 March Ben has the call to make."""
        self.acme()
        self.at("2025-03-04 08:30")
        assert self.review() == "send"
        self.send()
        self.at("2025-03-11 10:00")
        assert self.review() == "await_owner"
        (action,) = self.ben.get("/actions")["items"]
        return dict(action)


def acme_body(email: str = "eve@acme.example", **more: Any) -> dict[str, Any]:
    contact = {"external_id": "eve", "name": "Eve", "email": email, "phone": "+33 1 23 45 67"}
    return {"name": "Acme", "contacts": [contact], "members": ["ben@amber.example"], **more}


def invoice_body(**more: Any) -> dict[str, Any]:
    return {
        "customer": "C-1",
        "number": "2025-001",
        "issued_on": "2025-02-01",
        "due_on": "2025-03-03",
        "currency": "EUR",
        "total": "100.00",
        **more,
    }


def payment_body(amount: str = "100.00", **more: Any) -> dict[str, Any]:
    return {
        "customer": "C-1",
        "currency": "EUR",
        "amount": amount,
        "paid_on": "2025-03-04",
        "applied": [{"invoice": "INV-1", "amount": amount}],
        **more,
    }
