"""An independent reader of a rehearsal's actions.csv: lives the book a second time, in its own
simple way, and lists every violation of the rules. It knows nothing of ``dunning.decide``.

    violations = check(rows, facts, [plan], Setting(start=..., until=...), actions)

One customer at a time, moment by moment in local time: what happened, then what had to leave or be
shown at that moment, then whether it did. Numbers in brackets are those of the rules.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from books.facts import Fact, FactKind
from books.row import BookRow

DAY = timedelta(days=1)
TEN = time(10)
MIDNIGHT = time(0)


@dataclass(frozen=True)
class Setting:
    start: date
    until: date
    timezone: str = "Europe/Paris"
    sending_time: time = time(8, 30)
    working_days: frozenset[int] = frozenset(range(5))
    holidays: Container[date] = frozenset()
    manual_days: int | None = 0


@dataclass
class Done:
    """A row of actions.csv."""

    at: datetime  # local, without zone
    customer: str
    invoice: str
    step: str
    automatic: bool
    status: str
    place: int
    used: bool = False

    def __str__(self) -> str:
        return (
            f"{self.at:%a %Y-%m-%d %H:%M} {self.customer} {self.invoice} {self.step} {self.status}"
        )


@dataclass
class Step:
    place: int
    key: str
    type: str
    automatic: bool
    trigger: Mapping[str, Any]
    delay: int
    every: int | None
    limit: int | None
    recipients: list[str]


@dataclass
class Plan:
    name: str
    contextualized: bool
    tasks_count: bool
    steps: list[Step]

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Plan:
        steps = [
            Step(
                n, s["key"], s["type"], s.get("automatic", False), s["trigger"],
                s.get("contact_delay_days", data.get("contact_delay_days", 0)),
                s.get("repeat_every_days"), s.get("repeat_limit"), s.get("recipients", ["main"]),
            )
            for n, s in enumerate(data["steps"])
        ]  # fmt: skip
        context = data.get("first_action", "standard") == "contextualized"
        return cls(data["name"], context, data.get("tasks_count", True), steps)


@dataclass
class Worked:
    """What was executed or skipped on an invoice."""

    plan: str
    step: Step
    occurrence: int
    on: date
    executed: bool


@dataclass
class Invoice:
    key: str
    issued: date
    due_on: date | None
    total: Decimal
    currency: str
    void: bool = False
    disputed: bool = False
    pauses: list[date | None] = field(default_factory=list)
    promised: date | None = None
    worked: list[Worked] = field(default_factory=list)
    waited: set[tuple[str, int]] = field(default_factory=set)  # for want of an address (35)


@dataclass
class Money:
    """A payment or a credit, meant for an invoice or for none."""

    invoice: str
    amount: Decimal
    currency: str
    payment: bool
    reversed: bool = False


@dataclass
class Open:
    """A manual action, or one that found no recipient, with its owner."""

    invoice: str
    step: Step
    occurrence: int
    plan: str
    shown: datetime
    no_recipient: bool
    row: Done | None = None  # where it was never executed


def read_actions(path: Path, setting: Setting) -> tuple[list[Done], list[str]]:
    """The rows of actions.csv and what is wrong with their form."""
    zone, found, wrong = ZoneInfo(setting.timezone), [], []
    with path.open(newline="", encoding="utf-8") as file:
        for place, row in enumerate(csv.DictReader(file)):
            at = datetime.fromisoformat(row["at"])
            if at.astimezone(zone).isoformat(timespec="seconds") != row["at"]:
                wrong.append(f"{row['at']} is not a time of {setting.timezone}")
            found.append(
                Done(
                    at.astimezone(zone).replace(tzinfo=None), _cell(row["customer"]),
                    _cell(row["invoice"]), row["step"], row["automatic"] == "true", row["status"],
                    place,
                )
            )  # fmt: skip
    if [row.at for row in found] != sorted(row.at for row in found):
        wrong.append("the rows are not in order of time")
    return found, wrong


def _cell(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text


def check(
    rows: Iterable[BookRow],
    facts: Iterable[Fact],
    plans: Sequence[Mapping[str, Any]],
    setting: Setting,
    actions: list[Done],
    refused: Iterable[str] = (),
) -> list[str]:
    """Every violation, in words; ``refused`` are the lines that the rehearsal said it refused."""
    known_plans = {data["name"]: Plan.read(data) for data in plans}
    happenings: dict[str, list[tuple[datetime, int, Any]]] = defaultdict(list)
    start = datetime.combine(setting.start, MIDNIGHT)
    for place, row in enumerate(rows):
        known = max(row.issued_on, setting.start)
        if known > setting.until or (row.paid_on and row.paid_on < setting.start):
            continue
        mine = happenings[row.customer]
        mine.append((datetime.combine(known, MIDNIGHT), 2 * place, ("known", row)))
        if row.paid_on and row.paid_on <= setting.until:
            paid = datetime.combine(max(row.paid_on, known), MIDNIGHT)
            mine.append((paid, 2 * place + 1, ("paid", row)))
    for fact in facts:
        if fact.at.date() <= setting.until:
            at = max(fact.at, start)
            happenings[fact.customer].append((at, 2 * 10**9 + fact.line, ("fact", fact)))
    by_customer = defaultdict(list)
    for action in actions:
        by_customer[action.customer].append(action)
    found = plainly(actions, list(known_plans.values()), setting)
    wrongly: list[str] = []
    for customer in sorted(set(happenings) | set(by_customer)):
        life = Life(customer, known_plans, plans[0]["name"], setting, by_customer[customer])
        life.live(sorted(happenings[customer], key=lambda h: h[:2]))
        found += life.wrong
        wrongly += life.refused
    told = Counter(line.split(":")[0] for line in refused)
    for line in sorted((Counter(wrongly) - told).elements()):
        found.append(f"{line} makes no sense, and was not refused")
    for line in sorted((told - Counter(wrongly)).elements()):
        found.append(f"{line} was refused without need")
    return found


class Life:
    """One customer, lived a second time."""

    def __init__(
        self,
        name: str,
        plans: Mapping[str, Plan],
        default: str,
        setting: Setting,
        rows: list[Done],
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
        self.open: Open | None = None
        self.carried: str | None = None
        self.replanned: str | None = None  # carried when the plan was given (44)
        self.missed: set[tuple[str, str, int]] = set()
        self.wrong: list[str] = []
        self.refused: list[str] = []
        self.first_row = {}
        for row in reversed(rows):
            self.first_row[row.invoice] = row.place

    # -- time ----------------------------------------------------------------------------------

    def live(self, happenings: list[tuple[datetime, int, Any]]) -> None:
        moments = {at for at, _, _ in happenings} | {row.at for row in self.rows}
        day = min(moments, default=self.now).date()
        while day <= self.setting.until:
            moments |= {datetime.combine(day, MIDNIGHT), self.sending(day)}
            moments.add(datetime.combine(day, TEN))
            day += DAY
        queue = list(happenings)
        for self.now in sorted(moments):
            if self.sent_today and self.last != self.now.date():
                self.sent_today = []
            while queue and queue[0][0] <= self.now:
                self.happen(*queue.pop(0)[2])
            rows = [row for row in self.rows if row.at == self.now]
            stopped = {row.place: self.not_now(row) for row in rows}
            self.settle()
            for row in rows:
                if stopped[row.place] or not row.used:
                    self.wrong.append(f"{row}: {stopped[row.place] or self.not_asked_for(row)}")
        if self.open and self.open.row is None:
            self.wrong.append(f"{self.name} {self.open.invoice} {self.open.step.key}, shown on "
                              f"{self.open.shown}, is not there as open")  # fmt: skip

    def sending(self, day: date) -> datetime:
        """The sending time of a day; one that the clocks leave out moves to the next (23)."""
        zone = ZoneInfo(self.setting.timezone)
        at = datetime.combine(day, self.setting.sending_time)
        while at.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != at:
            at += timedelta(minutes=1)
        return at

    def working(self, day: date) -> bool:
        return day.weekday() in self.setting.working_days and day not in self.setting.holidays

    # -- what happened -------------------------------------------------------------------------

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
        """False where the fact makes no sense at that moment."""
        invoice = self.invoices.get(fact.invoice)
        if not self.known or (fact.invoice and invoice is None):
            return False
        if invoice and fact.currency and fact.currency != invoice.currency:
            return False
        kind, today = fact.kind, self.now.date()
        pauses = invoice.pauses if invoice else self.pauses
        if kind is FactKind.PAUSE:
            if fact.on is not None and fact.on <= today:
                return False
            pauses.append(fact.on)
        elif kind is FactKind.RESUME:
            pauses.clear()
        elif kind is FactKind.CONTACT_INVALID:
            self.invalid |= set(self.address)
        elif kind is FactKind.CONTACT_VALID:
            if self.invalid:
                self.corrected = today
            self.invalid.clear()
        elif kind is FactKind.PLAN:
            if fact.text not in self.plans:
                return False
            self.give_plan(fact.text)
        elif kind is FactKind.CREDIT:
            amount = fact.amount or (self.balance(invoice) if invoice else Decimal(0))
            currency = invoice.currency if invoice else fact.currency or self.currency()
            if not amount:
                return False
            self.money.append(Money(fact.invoice, amount, currency, payment=False))
        elif kind in (FactKind.COMPLETE, FactKind.SKIP):
            return self.work(executed=kind is FactKind.COMPLETE)
        elif invoice is not None:
            return self.apply_to(invoice, fact)
        return True

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

    def give_plan(self, name: str) -> None:
        if self.plan.name != name:
            self.plan, self.replanned = self.plans[name], self.carried

    def currency(self) -> str:
        last = sorted(self.invoices.values(), key=lambda i: i.issued)[-1:]
        return last[0].currency if last else "EUR"

    # -- how it stands -------------------------------------------------------------------------

    def balance(self, invoice: Invoice) -> Decimal:
        return max(invoice.total - self.applied(invoice), Decimal(0))

    def applied(self, invoice: Invoice) -> Decimal:
        mine = (m.amount for m in self.money if m.invoice == invoice.key and not m.reversed)
        return sum(mine, Decimal(0))

    def unapplied(self, currency: str) -> Decimal:
        """What the customer has given that no invoice took (42)."""
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
        """Until the start of that day (38)."""
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
        """The oldest that can carry (1, 2); of two alike, the one that was worked."""
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

    # -- what comes next -----------------------------------------------------------------------

    def trigger(self, step: Step, invoice: Invoice) -> date:
        on = step.trigger.get("date")
        if on is not None:
            return on if isinstance(on, date) else date.fromisoformat(on)
        base = self.due(invoice) if step.trigger["from"] == "due" else invoice.issued
        return base + timedelta(days=step.trigger.get("days", 0))

    def pre_due(self, step: Step, invoice: Invoice) -> bool:
        return self.trigger(step, invoice) <= self.due(invoice)

    def day_of(self, invoice: Invoice, step: Step, occurrence: int, base: date) -> date | None:
        """The day on which it leaves or is shown, from now on; None: too late (15)."""
        due_on, pre_due, today = self.due(invoice), self.pre_due(step, invoice), self.now.date()
        first = today
        if self.last is not None:
            first = max(first, self.last + timedelta(days=step.delay))
        if not step.automatic:
            day = max(base, first)
            return None if pre_due and day > due_on else day
        if (step.key, occurrence) in invoice.waited:
            first = max(first, self.corrected + DAY)
        if first == today and self.now > self.sending(today):
            first += DAY
        if first == self.last and not all(
            (invoice.key, self.trigger(step, invoice)) == sent[:2] and step.key != sent[2]
            for sent in self.sent_today
        ):
            first += DAY  # one a day, but for steps of the same date (19)
        if not pre_due:
            day = max(base, first)
            while not self.working(day):
                day += DAY
            return day
        if base > due_on:
            return None
        days = [
            first + n * DAY
            for n in range((due_on - first).days + 1)
            if self.working(first + n * DAY)
        ]
        return next((d for d in days if d >= base), days[-1] if days else None)

    def next(self, invoice: Invoice) -> tuple[Step, int, date] | None:
        """Step, occurrence and day; None: exhausted (26)."""
        worked = invoice.worked[-1] if invoice.worked else None
        if worked is not None and worked.plan == self.plan.name:
            steps = self.plan.steps[worked.step.place + 1 :]
        else:
            worked, steps = None, self.entry(invoice)
        over = {w.step.key for w in invoice.worked if w.plan == self.plan.name}
        found = None
        for step in steps:
            on = self.trigger(step, invoice)
            day = None if step.key in over else self.day_of(invoice, step, 0, on)
            if day is not None:
                found = (step, 0, day)
                break
        if worked is not None and worked.step.every:
            again = worked.occurrence + 1
            if worked.step.limit is None or again <= worked.step.limit:
                base = worked.on + timedelta(days=worked.step.every)
                day = self.day_of(invoice, worked.step, again, base)
                if day and (found is None or self.trigger(found[0], invoice) > day):
                    return worked.step, again, day
        return found

    def entry(self, invoice: Invoice) -> list[Step]:
        """Where an invoice enters the plan today (10 to 13, 44)."""
        steps, today = self.plan.steps, self.now.date()
        if today > self.due(invoice):
            steps = [s for s in steps if not self.pre_due(s, invoice)]
        if self.plan.contextualized or invoice.worked or self.replanned == invoice.key:
            past = [s for s in steps if self.trigger(s, invoice) <= today]
            if past:
                closest = max(self.trigger(s, invoice) for s in past)
                first = next(s for s in past if self.trigger(s, invoice) == closest)
                return steps[steps.index(first) :]
        return steps

    # -- what had to be done -------------------------------------------------------------------

    def settle(self) -> None:
        """At this moment: what lost its reason goes, what is due leaves or is shown."""
        self.promises()
        self.withdraw()
        while self.act():
            pass
        if self.owner_works() and self.work(executed=True):
            while self.act():
                pass
        carrying = self.carrying()
        self.carried = carrying.key if carrying else None

    def promises(self) -> None:
        for invoice in self.invoices.values():
            if invoice.promised and (invoice.void or self.balance(invoice) <= 0):
                invoice.promised = None  # it was kept, or there is nothing to keep (40)

    def withdraw(self) -> None:
        if self.open is None:
            return
        carrying, opened = self.carrying(), self.open
        fixed = opened.no_recipient and self.reachable(opened.step)
        stays = carrying is not None and carrying.key == opened.invoice and not fixed
        if stays and carrying and opened.plan == self.plan.name and not self.covered(carrying):
            return
        if opened.row is None or opened.row.status != "withdrawn":
            what = f"{opened.invoice} {opened.step.key}, shown on {opened.shown}"
            self.wrong.append(f"{self.name} {what}: not withdrawn on {self.now} (27)")
        self.open = None

    def act(self) -> bool:
        """Whether something left, so that more may follow at once."""
        carrying = self.carrying()
        if self.open or carrying is None or self.paused(self.pauses) or self.covered(carrying):
            return False
        coming = self.next(carrying)
        if coming is None:
            return False
        step, occurrence, day = coming
        if day != self.now.date():
            return False
        leaves = step.automatic and self.reachable(step)
        if step.automatic and self.now < self.sending(day):
            return False
        if not leaves:
            self.show(carrying, step, occurrence)
            return False
        row = self.find(carrying.key, step.key, "done")
        if row is None or not row.automatic:
            name = (carrying.key, step.key, occurrence)
            if name not in self.missed:
                self.missed.add(name)
                self.wrong.append(f"{self.name} {carrying.key} was to be reached by {step.key} on "
                                  f"{self.now:%a %Y-%m-%d %H:%M}, and was not")  # fmt: skip
            return False
        row.used = True
        forbidden = hours(row, self.setting)
        if forbidden:
            self.wrong.append(f"{row}: {forbidden}")
        self.contact(carrying, step, occurrence, executed=True)
        self.sent_today.append((carrying.key, self.trigger(step, carrying), step.key))
        return True

    def show(self, invoice: Invoice, step: Step, occurrence: int) -> None:
        row = self.find(invoice.key, step.key, "to_do", "withdrawn")
        if row is not None:
            row.used = True
        if step.automatic:
            invoice.waited.add((step.key, occurrence))
        self.open = Open(
            invoice.key, step, occurrence, self.plan.name, self.now, step.automatic, row
        )

    def owner_works(self) -> bool:
        """--manual-days: at 10:00, so many days after it is shown, unless it is hidden (39)."""
        opened, days = self.open, self.setting.manual_days
        if opened is None or opened.no_recipient or days is None or self.paused(self.pauses):
            return False
        day = opened.shown.date() + days * DAY
        first = max(datetime.combine(day, TEN), opened.shown)
        return self.now == first or (self.now > first and self.now.time() == TEN)

    def work(self, *, executed: bool) -> bool:
        """Its owner completes or skips the open action now; False: none is open."""
        opened, self.open = self.open, None
        if opened is None:
            return False
        status = "done" if executed else "skipped"
        row = self.find(opened.invoice, opened.step.key, status)
        if row is None or opened.row is not None:
            self.wrong.append(f"{self.name} {opened.invoice} {opened.step.key}, shown on "
                              f"{opened.shown}, is not {status} on {self.now}")  # fmt: skip
        if row is not None:
            row.used = True
        self.contact(self.invoices[opened.invoice], opened.step, opened.occurrence, executed)
        return True

    def contact(self, invoice: Invoice, step: Step, occurrence: int, executed: bool) -> None:
        today = self.now.date()
        invoice.worked.append(Worked(self.plan.name, step, occurrence, today, executed))
        if executed and (step.type != "task" or self.plan.tasks_count):
            self.last = today

    def find(self, invoice: str, step: str, *statuses: str) -> Done | None:
        for row in self.rows:
            here = row.at == self.now and (row.invoice, row.step) == (invoice, step)
            if here and not row.used and row.status in statuses:
                return row
        return None

    # -- what must not be there ----------------------------------------------------------------

    def not_now(self, row: Done) -> str:
        """Why nothing may happen to this invoice at this moment; "" = something may."""
        invoice = self.invoices.get(row.invoice)
        if invoice is None:
            return "the customer has no such invoice"
        if row.status == "obsolete":
            row.used = any(self.pre_due(s, invoice) for s in self.plan.steps if s.key == row.step)
            return "" if row.used else "only a step before the due date is passed over (15)"
        if self.paused(self.pauses):
            return "the customer is paused (38)"
        stopped = self.stopped(invoice)
        if stopped:
            return f"{invoice.key} {stopped}"
        carrying = self.carrying()
        if carrying is not None and carrying.key != row.invoice:
            return f"{carrying.key} carries, not {row.invoice} (2)"
        if self.covered(invoice):
            return "unapplied credit covers it (42)"
        return ""

    def not_asked_for(self, row: Done) -> str:
        if row.automatic and row.status == "done" and (forbidden := hours(row, self.setting)):
            return forbidden
        carrying = self.carrying()
        coming = self.next(carrying) if carrying and not self.open else None
        if self.open:
            return f"{self.open.step.key} is open since {self.open.shown} (27)"
        if coming is None:
            return "nothing is to come"
        return f"to come is {coming[0].key} on {coming[2]}"


def plainly(actions: list[Done], plans: list[Plan], setting: Setting) -> list[str]:
    """What can be seen without knowing the book: hours, days, delays, order, twice the same."""
    wrong = []
    steps = {(p.name, s.key): s for p in plans for s in p.steps}
    by_key = {key: step for (_, key), step in reversed(steps.items())}
    last: dict[str, Done] = {}
    times: Counter[tuple[str, str]] = Counter()
    for row in actions:
        step = by_key.get(row.step)
        if step is None:
            wrong.append(f"{row}: no plan has such a step")
            continue
        if row.status not in ("done", "to_do", "skipped", "withdrawn", "obsolete", "needs_review"):
            wrong.append(f"{row}: did not succeed")
        if row.status != "done":
            continue
        times[row.invoice, row.step] += 1
        most = 1 if not step.every else 10**6 if step.limit is None else 1 + step.limit
        if times[row.invoice, row.step] > most:
            wrong.append(f"{row}: for the {times[row.invoice, row.step]}. time (25)")
        before = last.get(row.customer)
        if step.type != "task" or all(p.tasks_count for p in plans):
            last[row.customer] = row
        if before is not None:
            days = (row.at.date() - before.at.date()).days
            if days < step.delay:
                wrong.append(f"{row}: only {days} days after {before.step} (16, 17)")
            elif days == 0 and row.automatic and before.automatic and (
                row.invoice != before.invoice or row.step == before.step
            ):  # fmt: skip
                wrong.append(f"{row}: a second one that day (19)")
            former = before.invoice == row.invoice and by_key[before.step]
            if former and step.place < former.place and any(
                {s.key for s in p.steps} >= {row.step, before.step} for p in plans
            ):  # fmt: skip
                wrong.append(f"{row}: after {before.step}, which is later in the list (14)")
    return wrong


def hours(row: Done, setting: Setting) -> str:
    """When an automatic action may leave (20, 21)."""
    if row.at.weekday() not in setting.working_days:
        return "not a working day (20)"
    if row.at.date() in setting.holidays:
        return "a holiday (20)"
    if row.at.time() < setting.sending_time:
        return "before the sending time (20)"
    if row.at.time() >= max(time(17), setting.sending_time.replace(minute=59)):
        return "after the cut-off (21)"
    return ""
