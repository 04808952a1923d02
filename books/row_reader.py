"""Reads one row of a book: its cells by field, and all its errors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from books.cells import Unreadable, check_amount, parse_amount, parse_date, round_amount
from books.errors import RowError
from books.map import BookMap, Bound
from books.row import BookRow
from dunning.currency import CURRENCIES
from dunning.excerpt import shorten
from dunning.ids import OURS, our_id

_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")
_LOCAL = re.compile(r"(?!\.)(?!.*\.\.)[^\s@,;:<>()\[\]\\\"]{1,64}(?<!\.)")
_FORMS = {
    "phone": (re.compile(r"[+(0-9][0-9 ()./-]{2,}"), "is not a telephone number"),
    "language": (
        re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*"),
        "is not a language such as fr or pt-BR",
    ),
    "country": (re.compile(r"[A-Z]{2}"), "is not an ISO 3166 code such as FR"),
}


class RowReader:
    """``errors`` collects what is wrong; ``read`` returns the row if nothing is."""

    def __init__(
        self,
        line: int,
        cells: Sequence[str],
        fits: BookMap,
        bound: Mapping[str, Bound],
    ) -> None:
        self.line, self.fits, self.bound = line, fits, bound
        self.texts = {name: one.get(cells).strip() for name, one in bound.items()}
        self.errors: list[RowError] = []
        self.rounded = False

    def read(self) -> BookRow | None:
        """None if anything is wrong with the row."""
        customer = self.text("customer", required=True)
        name, email = self.text("customer_name"), self.email()
        invoice = self.text("invoice", required=True)
        issued_on, due_on, paid_on = self.dates()
        currency = self.currency()
        total = self.total(currency)
        phone, language = self.text("phone", 50), self.text("language", 35)
        country, terms = self.text("country", 100).upper(), self.terms()
        self.check_forms(phone=phone, language=language, country=country)
        parent, plan = self.text("parent"), self.text("plan", 100)
        self.check_ids(customer=customer, invoice=invoice, parent=parent)
        if self.errors or issued_on is None or total is None:
            return None
        return BookRow(
            line=self.line,
            customer=customer,
            customer_name=name,
            email=email,
            invoice=invoice,
            issued_on=issued_on,
            due_on=due_on,
            total=total,
            currency=currency,
            paid_on=paid_on,
            credit_note=total < 0,
            phone=phone,
            language=language,
            country=country,
            terms_days=terms,
            parent=parent,
            plan=plan,
            rounded=self.rounded,
        )

    def email(self) -> str:
        email = self.text("email", 254)
        if email and not _is_address(email):
            self.wrong("email", "is not an email address", email)
        return email

    def dates(self) -> tuple[date | None, date | None, date | None]:
        """The dates of issue, due date and payment."""
        issued_on = self.date("issued_on", required=True)
        due_on, paid_on = self.date("due_on"), self.date("paid_on")
        for name, on in (("due_on", due_on), ("paid_on", paid_on)):
            if issued_on and on and on < issued_on:
                cause = "is before the issue date"
                self.wrong(name, cause, str(on), f"{on} {cause} {issued_on}")
        return issued_on, due_on, paid_on

    def currency(self) -> str:
        currency = self.text("currency", required=True).upper()
        if currency and currency not in CURRENCIES:
            self.wrong("currency", "is not an ISO 4217 code such as EUR", currency)
        return currency

    def check_forms(self, **values: str) -> None:
        for name, value in values.items():
            form, cause = _FORMS[name]
            if value and not form.fullmatch(value):
                self.wrong(name, cause, value)

    def check_ids(self, **ids: str) -> None:
        """Checks that the id of a customer or an invoice does not have the form of our ids."""
        for name, value in ids.items():
            if our_id(value) is not None:
                self.wrong(name, OURS, value)
        if ids["parent"] and ids["parent"] == ids["customer"]:
            self.wrong("parent", "is the customer itself")

    def wrong(self, name: str, cause: str, value: str = "", reason: str = "") -> None:
        """``cause`` is without the cell's ``value``; ``reason`` is given if it is not value and
        cause together."""
        of = self.bound[name]
        where = "" if of.label == name else f" ({of.label})"
        reason = reason or (f"{shorten(value)!r} {cause}" if value else cause)
        self.errors.append(RowError(self.line, name, reason + where, cause, value, of.header))

    def unreadable(self, name: str, error: Unreadable) -> None:
        self.wrong(name, error.cause, error.value, str(error))

    def text(self, name: str, limit: int = 200, required: bool = False) -> str:
        """A text on one line: each line break or run of spaces becomes one space."""
        value = self.texts.get(name, "")
        if not value.isprintable() or "  " in value:
            value = " ".join(value.split())
            if re.search(r"[\x00-\x1f\x7f-\x9f]", value):
                self.wrong(name, "has a control character")
        if not value:
            if required:
                self.wrong(name, "is empty")
        elif len(value) > limit:
            self.wrong(name, f"is longer than {limit} characters", shorten(value, 20))
        return value

    def date(self, name: str, required: bool = False) -> date | None:
        value = self.texts.get(name, "")
        if value:
            try:
                return parse_date(value, self.fits.date_formats.get(name, ""))
            except Unreadable as error:
                self.unreadable(name, error)
        elif required:
            self.wrong(name, "is empty")
        return None

    def total(self, currency: str) -> Decimal | None:
        value, fits = self.texts["total"], self.fits
        if not value:
            self.wrong("total", "is empty")
            return None
        try:
            amount = parse_amount(value, fits.decimal, fits.thousands, fits.strip)
            if currency in CURRENCIES:
                self.rounded = fits.round and amount != round_amount(amount, currency)
                exact = round_amount(amount, currency) if fits.round else amount
                exact = check_amount(exact, currency)
                if amount and not exact:
                    raise Unreadable(value, f"is zero when rounded to {currency}")
                amount = exact
        except Unreadable as error:
            self.unreadable("total", error)
            return None
        if not amount:
            self.wrong("total", "is zero")
        return amount

    def terms(self) -> int | None:
        value = self.texts.get("terms_days", "")
        if not value:
            return None
        if not re.fullmatch(r"[0-9]{1,4}", value) or int(value) > 3650:
            self.wrong("terms_days", "is not a number of days up to 3650", value)
            return None
        return int(value)


def _is_address(text: str) -> bool:
    """Whether it looks like an email address: a mailbox, and a domain of at least two labels."""
    local, _, domain = text.rpartition("@")
    labels = domain.split(".")
    return (
        len(labels) > 1
        and _LOCAL.fullmatch(local) is not None
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
    )
