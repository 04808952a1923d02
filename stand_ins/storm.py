"""Concurrent writers: plans, settings, imports, batches, payments, replies, contacts.

They write the same rows: every batch and every book has all customers, in an order of its own, and
some new ones; every reply is from a number that several customers share.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from activities.deciding import decide_and_record
from backoffice.delivery import replies
from dunning.learnt import CameIn, Reply, Wish
from dunning.plan import ActionType
from stand_ins.office import PLAN, Caller, Office, acme_body, invoice_body, payment_body
from store.engine import transaction
from store.unit import Unit

CUSTOMERS = [f"C-{n}" for n in range(12)]
HEADER = "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on\n"


def prepare(office: Office) -> None:
    office.ada.does("PUT", "/plans/Standard", PLAN)
    office.billing.does(
        "POST",
        "/batch",
        {
            "customers": [{"external_id": key, **acme_body()} for key in CUSTOMERS],
            "invoices": [
                {"external_id": f"INV-{key}", **invoice_body(customer=key)} for key in CUSTOMERS
            ],
        },
    )


class Storm:
    """``answers``: numbers of status codes by kind of request. ``broken``: all other errors."""

    def __init__(self, office: Office, seconds: float) -> None:
        self._office = office
        self._until = time.monotonic() + seconds
        self.answers: Counter[tuple[str, int]] = Counter()
        self.broken: list[str] = []

    def run(self) -> None:
        everybody = [
            self._plan,
            self._plan,
            self._settings,
            self._import,
            self._import,
            self._batch,
            self._batch,
            self._pay,
            self._pay,
            self._reply,
            self._reply,
            self._review,
        ]
        with ThreadPoolExecutor(len(everybody)) as pool:
            list(pool.map(self._repeat, range(len(everybody)), everybody))

    def _repeat(self, seed: int, act: Callable[[random.Random, int], None]) -> None:
        chance, number = random.Random(seed), 0
        while time.monotonic() < self._until:
            number += 1
            try:
                act(chance, seed * 1_000_000 + number)
            except Exception as error:  # noqa: BLE001 - every error is counted as a finding
                self.broken.append(f"{act.__name__}: {type(error).__name__}: {error}"[:300])

    def _ask(self, what: str, who: Caller, method: str, path: str, **more: object) -> None:
        answer = who(method, path, **more)
        self.answers[what, answer.status_code] += 1
        if answer.status_code >= 400:
            self.broken.append(f"{what}: {answer.text[:300]}")

    def _plan(self, chance: random.Random, number: int) -> None:
        name = chance.choice(["Standard", "Other", f"New {number}"])
        plan = {**PLAN, "name": name, "contact_delay_days": number % 20}
        self._ask("plan", self._office.ada, "PUT", f"/plans/{name}", json=plan)

    def _settings(self, chance: random.Random, number: int) -> None:
        changes = {"spread_minutes": number % 50, "default_plan": "Standard"}
        self._ask("settings", self._office.ada, "PATCH", "/organisation", json=changes)

    def _import(self, chance: random.Random, number: int) -> None:
        rows = [
            f"{key},,,BOOK-{key},2025-02-01,2025-03-03,{100 + number % 7}.00,EUR,\n"
            for key in [*CUSTOMERS, f"NEW-{number}"]
        ]
        chance.shuffle(rows)
        more = {"content": HEADER + "".join(rows), "headers": {"Content-Type": "text/csv"}}
        self._ask("import", self._office.billing, "POST", "/imports", **more)

    def _batch(self, chance: random.Random, number: int) -> None:
        keys = [*CUSTOMERS, f"NEW-{number}", f"AND-{number}"]
        chance.shuffle(keys)
        total = f"{100 + number % 9}.00"
        batch = {
            "customers": [{"external_id": key, **acme_body()} for key in keys],
            "invoices": [
                {"external_id": f"INV-{k}", **invoice_body(customer=k, total=total)} for k in keys
            ],
            "payments": [
                {"external_id": f"PAY-{k}", **payment_body("5.00", customer=k, applied=[])}
                for k in keys[:5]
            ],
        }
        self._ask("batch", self._office.billing, "POST", "/batch", json=batch)

    def _pay(self, chance: random.Random, number: int) -> None:
        key = chance.choice(CUSTOMERS)
        applied = [{"invoice": f"INV-{key}", "amount": "1.00"}]
        body = payment_body("1.00", customer=key, applied=applied)
        path = f"/payments/PAY-{number % 40}-{key}"
        self._ask("payment", self._office.billing, "PUT", path, json=body)

    def _reply(self, chance: random.Random, number: int) -> None:
        reply = Reply(
            at=datetime.now(UTC),
            sender="+33 1 23 45 67",
            text="STOP" if number % 2 else "START",
            provider_id=str(number),
            wish=Wish.STOP if number % 2 else Wish.START,
        )
        came_in = CameIn(organisation_id=self._office.id, channel=ActionType.SMS)
        with transaction(self._office.engine) as session:
            replies.take(session, reply, came_in, datetime.now(UTC))
        self.answers["reply", 200] += 1

    def _review(self, chance: random.Random, number: int) -> None:
        customer = self._office.customer_id(chance.choice(CUSTOMERS))
        with transaction(self._office.engine) as session:
            decide_and_record(Unit(session, self._office.id, self._office.now), customer, 0)
        self.answers["review", 200] += 1
