"""Rule 9: what a customer owes, by currency. Paused, disputed and promised invoices count, too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dunning.carrying import can_carry
from dunning.model import Account, Invoice

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sums:
    """The balances in one currency; ``credit`` is the unapplied credit, which is subtracted nowhere
    here.

    ``overdue`` (rule 10) and ``listed`` (on invoices that can carry, rule 3) are parts of
    ``balance``.
    """

    currency: str
    balance: Decimal
    overdue: Decimal
    listed: Decimal
    credit: Decimal


def sums(
    account: Account, invoices: Iterable[Invoice], today: date, *currencies: str
) -> list[Sums]:
    """The sums of these invoices of the account on a local day, by currency in alphabetical order.

    They include each currency of an invoice, of unapplied credit, or in ``currencies``.
    """
    counted = list(invoices)
    credit = {currency: amount for currency, amount in account.credits.items() if amount > 0}
    found = []
    for currency in sorted({i.currency for i in counted} | credit.keys() | set(currencies)):
        mine = [i for i in counted if i.currency == currency]
        found.append(
            Sums(
                currency=currency,
                balance=_balance(mine),
                overdue=_balance(i for i in mine if i.due_on < today),
                listed=_balance(i for i in mine if can_carry(i, account, today)),
                credit=credit.get(currency, _ZERO),
            )
        )
    return found


def _balance(invoices: Iterable[Invoice]) -> Decimal:
    return sum((invoice.balance for invoice in invoices), _ZERO)
