"""The facts of a customer, and the state of its invoices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from books.facts import Fact, FactKind
from books.row import BookRow
from tests.cast.checker.data import (
    MIDNIGHT,
    ActionRow,
    Invoice,
    Money,
    OpenAction,
    Plan,
    Setting,
    Step,
)


class Facts:
    """The facts of one customer at the moment ``now``."""

    def __init__(
        self,
        name: str,
        plans: Mapping[str, Plan],
        default: str,
        setting: Setting,
        rows: list[ActionRow],
    ) -> None:
        self.name, self.plans, self.setting, self.rows = name, plans, setting, rows
        self.plan = plans[default]
        self.now = datetime.combine(setting.start, MIDNIGHT)
        self.known = False
        self.invoices: dict[str, Invoice] = {}
        self.money: list[Money] = []
        self.pauses: list[date | None] = []
        self.terms = 0
        self.address = {"email": "", "phone": "", "postal": "somewhere"}
        self.invalid: set[str] = set()
        self.corrected = setting.start
        self.last: date | None = None  # the last contact (17, 18)
        self.sent_today: list[tuple[str, date, str]] = []
        self.open: OpenAction | None = None
        self.carried: str | None = None
        self.replanned: str | None = None  # the carrying invoice when the plan was given (44)
        self.missed: set[tuple[str, str, int]] = set()
        self.wrong: list[str] = []
        self.refused: list[str] = []
        self.first_row = {}
        for row in reversed(rows):
            self.first_row[row.invoice] = row.place

    def happen(self, kind: str, what: Any) -> None:
        if kind == "known":
            self.hear(what)
        elif kind == "paid":
            invoice = self.invoices.get(what.invoice)
            if invoice and self.balance(invoice) > 0:
                amount = self.balance(invoice)
                self.money.append(Money(invoice.key, amount, invoice.currency, payment=True))
        elif not self.apply(what):
            self.refused.append(f"facts line {what.line}")

    def hear(self, row: BookRow) -> None:
        if not self.known:
            self.corrected = self.now.date()
        self.known = True
        for address, value in (("email", row.email), ("phone", row.phone)):
            if value and value != self.address[address]:
                self.address[address] = value
                self.invalid.discard(address)
                self.corrected = self.now.date()
        if row.terms_days is not None:
            self.terms = row.terms_days
        if row.plan:
            self.give_plan(row.plan)
        if row.total < 0:
            self.money.append(Money("", -row.total, row.currency, payment=False))
        else:
            self.invoices[row.invoice] = Invoice(
                row.invoice, row.issued_on, row.due_on, row.total, row.currency
            )

    def apply(self, fact: Fact) -> bool:
        """False if the fact makes no sense at that moment."""
        invoice = self.invoices.get(fact.invoice)
        if not self.known or (fact.invoice and invoice is None):
            return False
        if invoice and fact.currency and fact.currency != invoice.currency:
            return False
        if fact.kind in (FactKind.PAUSE, FactKind.RESUME):
            return self.pause(invoice.pauses if invoice else self.pauses, fact)
        if fact.kind in (FactKind.CONTACT_INVALID, FactKind.CONTACT_VALID):
            return self.contact_is(fact.kind)
        if fact.kind is FactKind.PLAN:
            return self.give_plan(fact.text)
        if fact.kind is FactKind.CREDIT:
            return self.credit(invoice, fact)
        return invoice is None or self.apply_to(invoice, fact)

    def pause(self, pauses: list[date | None], fact: Fact) -> bool:
        if fact.kind is FactKind.RESUME:
            pauses.clear()
        elif fact.on is not None and fact.on <= self.now.date():
            return False
        else:
            pauses.append(fact.on)
        return True

    def contact_is(self, kind: FactKind) -> bool:
        if kind is FactKind.CONTACT_INVALID:
            self.invalid |= set(self.address)
            return True
        if self.invalid:
            self.corrected = self.now.date()
        self.invalid.clear()
        return True

    def credit(self, invoice: Invoice | None, fact: Fact) -> bool:
        amount = fact.amount or (self.balance(invoice) if invoice else Decimal(0))
        currency = invoice.currency if invoice else fact.currency or self.currency()
        if amount:
            self.money.append(Money(fact.invoice, amount, currency, payment=False))
        return bool(amount)

    def apply_to(self, invoice: Invoice, fact: Fact) -> bool:
        kind = fact.kind
        if kind is FactKind.PAYMENT:
            assert fact.amount is not None
            self.money.append(Money(invoice.key, fact.amount, invoice.currency, payment=True))
        elif kind is FactKind.REVERSE_PAYMENT:
            for money in reversed(self.money):
                same = fact.amount in (None, money.amount)
                if money.payment and money.invoice == invoice.key and same and not money.reversed:
                    money.reversed = True
                    return True
            return False
        elif kind is FactKind.VOID:
            invoice.void = True
        elif kind is FactKind.DUE_DATE:
            invoice.due_on = fact.on
        elif kind is FactKind.PROMISE:
            balance, past = self.balance(invoice), fact.on and fact.on < self.now.date()
            if invoice.void or past or not 0 < (fact.amount or balance) <= balance:
                return False
            invoice.promised = fact.on
        else:
            invoice.disputed = kind is FactKind.DISPUTE
        return True

    def give_plan(self, name: str) -> bool:
        if name not in self.plans:
            return False
        if self.plan.name != name:
            self.plan, self.replanned = self.plans[name], self.carried
        return True

    def currency(self) -> str:
        last = sorted(self.invoices.values(), key=lambda i: i.issued)[-1:]
        return last[0].currency if last else "EUR"

    def balance(self, invoice: Invoice) -> Decimal:
        return max(invoice.total - self.applied(invoice), Decimal(0))

    def applied(self, invoice: Invoice) -> Decimal:
        mine = (m.amount for m in self.money if m.invoice == invoice.key and not m.reversed)
        return sum(mine, Decimal(0))

    def unapplied(self, currency: str) -> Decimal:
        """The customer's unapplied credit (42)."""
        given = sum(
            (m.amount for m in self.money if m.currency == currency and not m.reversed), Decimal(0)
        )
        for invoice in self.invoices.values():
            if invoice.currency == currency and not invoice.void:
                given -= min(self.applied(invoice), invoice.total)
        return given

    def due(self, invoice: Invoice) -> date:
        return invoice.due_on or invoice.issued + timedelta(days=self.terms)

    def paused(self, pauses: list[date | None]) -> bool:
        """Whether it is paused; a pause ends at the start of its day (38)."""
        return any(until is None or self.now.date() < until for until in pauses)

    def stopped(self, invoice: Invoice) -> str:
        """Why an invoice cannot carry (3, 38, 40, 41)."""
        if invoice.void:
            return "is void"
        if self.balance(invoice) <= 0:
            return "is paid"
        if invoice.disputed:
            return "is disputed"
        if self.paused(invoice.pauses):
            return "is paused"
        if invoice.promised and self.now.date() <= invoice.promised:
            return "is promised"
        return ""

    def carrying(self) -> Invoice | None:
        """The oldest that can carry (1, 2); of two equal ones, the one that was worked."""
        able = [i for i in self.invoices.values() if not self.stopped(i)]
        return min(
            able,
            key=lambda i: (self.due(i), -i.total, i.issued, self.first_row.get(i.key, 10**9)),
            default=None,
        )

    def covered(self, invoice: Invoice) -> bool:
        return 0 < self.balance(invoice) <= self.unapplied(invoice.currency)

    def reachable(self, step: Step) -> bool:
        address = {"email": "email", "sms": "phone", "letter": "postal"}[step.type]
        if all("@" in r for r in step.recipients):
            return True
        valid = bool(self.address[address]) and address not in self.invalid
        return valid and "main" in step.recipients
