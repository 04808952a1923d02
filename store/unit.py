"""A unit of work: one transaction for one organisation, and what every use case needs of it.

The few use cases that know no organisation, or need none, take the session alone; they are named in
tests/test_tenancy.py, each with its reason.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from dunning.ids import CreditId, CustomerId, InvoiceId, OrganisationId
from store import tables as t

if TYPE_CHECKING:
    from store.locks import CustomerLocked


def clock(organisation: t.Organisation, real: datetime) -> datetime:
    """The organisation's time at the real instant ``real``: a rehearsal's clock stands still."""
    return organisation.rehearsal_now or real


@dataclass(slots=True)
class Batch:
    """Facts that are reported together (``store.bulk``): their rows are read once and written at
    the end.

    ``rows``: customers, invoices and credits by table and key, None if there is none (the session
    itself holds rows only weakly). ``invoices``: those that are read, by id. ``applied``: the
    applications to an invoice, by its id and the credit's. ``spent``: the same by the credit's id
    and the invoice's. ``later``: rows that refer to others and are written after them. ``entries``:
    timeline entries, written last. ``nudged``: customers to be nudged once each at the end; None if
    each nudge is written by itself.
    """

    rows: dict[tuple[Any, str], Any] = field(default_factory=dict)
    invoices: dict[InvoiceId, t.Invoice] = field(default_factory=dict)
    applied: dict[InvoiceId, dict[CreditId, tuple[t.Credit, t.Application]]] = field(
        default_factory=dict
    )
    spent: dict[CreditId, dict[InvoiceId, t.Application]] = field(default_factory=dict)
    later: list[t.Application] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    nudged: dict[CustomerId, None] | None = field(default_factory=dict)


@dataclass(slots=True)
class Progress:
    """What has happened in a transaction so far. ``locked`` and ``nudged``: customers by id;
    ``notified``: NOTIFY for the relay was sent. ``held_by_others``: customers whose lock timed out,
    each with the error; their lock is not waited for again."""

    locked: set[CustomerId] = field(default_factory=set)
    nudged: set[CustomerId] = field(default_factory=set)
    notified: bool = False
    organisation: t.Organisation | None = None
    batch: Batch | None = None
    held_by_others: dict[CustomerId, CustomerLocked] = field(default_factory=dict)


class Unit:
    """One transaction for one organisation.

    ``session``: the transaction. ``organisation_id``: whose data it is about. ``real``: the real
    time (UTC) at which it began. ``by``: who acts, as the timeline names them. ``public_url``: our
    address in short links, empty = no links.
    """

    def __init__(
        self,
        session: Session,
        organisation_id: OrganisationId,
        real: datetime | None = None,
        *,
        by: str = "",
        public_url: str = "",
    ) -> None:
        self.session = session
        self.organisation_id = organisation_id
        self.real = real or datetime.now(UTC)
        self.by = by
        self.public_url = public_url
        self.progress = Progress()
        self._now: datetime | None = None

    @property
    def organisation(self) -> t.Organisation:
        if self.progress.organisation is None:
            found = self.session.get_one(t.Organisation, self.organisation_id)
            self.progress.organisation = found
        return self.progress.organisation

    @property
    def now(self) -> datetime:
        """The organisation's time (UTC)."""
        return self._now or clock(self.organisation, self.real)

    def at(self, when: datetime) -> Unit:
        """The same transaction, for something that happened at the organisation's time ``when``."""
        other = copy.copy(self)
        other._now = when
        return other

    def named(self, by: str) -> Unit:
        """The same transaction, for what ``by`` does."""
        other = copy.copy(self)
        other.by = by
        return other
