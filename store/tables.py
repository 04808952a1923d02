"""The tables. Money is numeric, instants are timestamptz (UTC), dates are the organisation's.

Every effect has one stable key held by a unique constraint: an external id for what billing systems
report, (invoice, plan, step, occurrence, attempt) for an action, the action for a delivery, the
delivery and the address for what became of a message.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING


def _id() -> Any:
    return Field(default_factory=uuid.uuid4, primary_key=True)


def _instant(*, index: bool = False) -> Any:
    return Field(default=None, sa_type=sa.DateTime(timezone=True), index=index)


def _created() -> Any:
    return Field(
        default_factory=lambda: datetime.now(UTC),
        sa_type=sa.DateTime(timezone=True),
    )


def _ref(target: str, *, index: bool = True) -> Any:
    return Field(foreign_key=target, index=index)


def _maybe(target: str, *, index: bool = False) -> Any:
    return Field(default=None, foreign_key=target, index=index)


def _money() -> Any:
    return Field(sa_type=sa.Numeric(20, 4))


def _json(default: Any) -> Any:
    return Field(default_factory=default, sa_type=JSONB)


def _big_serial() -> Any:
    return Field(
        default=None,
        sa_column=sa.Column(sa.BigInteger, sa.Identity(always=False), primary_key=True),
    )


class Organisation(SQLModel, table=True):
    """The creditor. ``rehearsal_now``: its clock stands there (UTC); None = the real clock."""

    id: uuid.UUID = _id()
    name: str
    timezone: str = "Europe/Paris"
    sending_time: time = time(8, 30)
    cut_off: time = time(17, 0)
    working_days: str = "mon-fri"
    holidays: str = ""  # a country, or country-subdivision: "FR", "DE-BY"; empty = none
    days_off: list[str] = _json(list)  # its own extra days, ISO dates
    currency: str = "EUR"
    language: str = "en"
    tolerance: Decimal = Field(default=Decimal(0), sa_type=sa.Numeric(20, 4))
    spread_minutes: int = 0
    reply_hold_days: int = 2  # automatic steps wait this long after a customer's reply
    open_tracking: bool = False  # a pixel in emails needs consent in some countries
    sender_domains: list[str] = _json(list)  # verified at the provider; empty = not checked here
    late_payment_country: str = ""  # whose statutory interest messages may show; empty = off
    default_plan_id: uuid.UUID | None = Field(
        default=None,
        sa_column=sa.Column(sa.Uuid, sa.ForeignKey("plan.id", use_alter=True), nullable=True),
    )
    rehearsal_now: datetime | None = _instant()
    created_at: datetime = _created()


class Member(SQLModel, table=True):
    __table_args__ = (sa.UniqueConstraint("organisation_id", "email"),)

    id: uuid.UUID = _id()
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    name: str
    email: str
    role: str = "member"  # or "admin"
    active: bool = True
    created_at: datetime = _created()


class GroupMember(SQLModel, table=True):
    __tablename__ = "group_member"

    organisation_id: uuid.UUID = Field(foreign_key="organisation.id", primary_key=True)
    name: str = Field(primary_key=True)
    member_id: uuid.UUID = Field(foreign_key="member.id", primary_key=True, index=True)


class ApiKey(SQLModel, table=True):
    """A key of a ``member`` or of a ``billing`` system (``scope``). Only its hash is kept."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True)
    organisation_id: uuid.UUID = _ref("organisation.id")
    member_id: uuid.UUID | None = _maybe("member.id", index=True)
    scope: str
    name: str = ""
    secret_hash: str
    last4: str
    expires_at: datetime | None = _instant()
    revoked_at: datetime | None = _instant()
    created_at: datetime = _created()


class Invitation(SQLModel, table=True):
    """A one-time token that a member exchanges for a key. Only its hash is kept."""

    id: uuid.UUID = _id()
    organisation_id: uuid.UUID = _ref("organisation.id")
    member_id: uuid.UUID = _ref("member.id")
    token_hash: str = Field(unique=True)
    expires_at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    used_at: datetime | None = _instant()
    created_at: datetime = _created()


class Absence(SQLModel, table=True):
    """A member is away from a local day until another, included; None = until it is ended."""

    member_id: uuid.UUID = Field(foreign_key="member.id", primary_key=True)
    from_on: date
    until_on: date | None = None
    set_by: str = ""


class AuditEntry(SQLModel, table=True):
    """Append-only: what was done about members and their keys. ``by_id`` None: the machine."""

    __tablename__ = "audit"
    __table_args__ = (
        sa.Index("ix_audit_organisation_id_id", "organisation_id", "id"),
        sa.Index("ix_audit_about_id_id", "about_id", "id"),
    )

    id: int | None = _big_serial()
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    at: datetime = _created()
    kind: str
    text: str
    by: str = ""
    by_id: uuid.UUID | None = _maybe("member.id")
    about_id: uuid.UUID | None = _maybe("member.id")


class Plan(SQLModel, table=True):
    __table_args__ = (sa.UniqueConstraint("organisation_id", "name"),)

    id: uuid.UUID = _id()
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    name: str
    current_version_id: uuid.UUID | None = Field(
        default=None,
        sa_column=sa.Column(
            sa.Uuid, sa.ForeignKey("plan_version.id", use_alter=True), nullable=True
        ),
    )
    created_at: datetime = _created()


class PlanVersion(SQLModel, table=True):
    """Immutable (rule 43): ``definition`` is ``dunning.plan.plan_data``."""

    __tablename__ = "plan_version"
    __table_args__ = (sa.UniqueConstraint("plan_id", "version"),)

    id: uuid.UUID = _id()
    plan_id: uuid.UUID = _ref("plan.id", index=False)
    version: int
    definition: dict[str, Any] = _json(dict)
    created_by: uuid.UUID | None = _maybe("member.id")
    created_at: datetime = _created()


class Customer(SQLModel, table=True):
    __table_args__ = (sa.UniqueConstraint("organisation_id", "external_id"),)

    id: uuid.UUID = _id()
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    external_id: str
    name: str
    parent_id: uuid.UUID | None = _maybe("customer.id", index=True)
    terms_days: int | None = None
    language: str = ""
    country: str = ""
    plan_id: uuid.UUID | None = _maybe("plan.id", index=True)
    # Rule 44: the invoice that carried when this plan was given, as of the last decision.
    contextualized_invoice_id: uuid.UUID | None = None
    held_until: date | None = None  # a reply: automatic steps wait until the start of that day
    source_updated_at: datetime | None = _instant()
    created_at: datetime = _created()


class CustomerMember(SQLModel, table=True):
    """Assigned members, ``rank`` in order of assignment (rule 33)."""

    __tablename__ = "customer_member"

    customer_id: uuid.UUID = Field(foreign_key="customer.id", primary_key=True)
    member_id: uuid.UUID = Field(foreign_key="member.id", primary_key=True, index=True)
    rank: int


#: Numbers are written in many ways, but for their last digits; ``store.closures`` compares the
#: rest.
PHONE_END = "right(regexp_replace({}, '[^0-9]', '', 'g'), 6)"


class Contact(SQLModel, table=True):
    """Each address is valid, or invalid with the reason (rule 35). ``fixed``: when each was
    corrected (``backoffice.ledger.contacts.fix``), under its name.

    ``superseded``: the address that a member corrected by hand, under its name; a billing system
    that goes on repeating it does not bring it back. Whether anybody wants to be written to at an
    address is in ``closure``.
    """

    __table_args__ = (
        sa.UniqueConstraint("customer_id", "external_id"),
        sa.Index("ix_contact_email_lower", sa.text("lower(email)")),
        sa.Index("ix_contact_phone_end", sa.text(PHONE_END.format("phone"))),
    )

    id: uuid.UUID = _id()
    customer_id: uuid.UUID = _ref("customer.id", index=False)
    external_id: str
    name: str = ""
    position: str = ""
    language: str = ""
    main: bool = False
    email: str = ""
    email_invalid: str = ""  # the reason; empty = valid
    phone: str = ""
    phone_invalid: str = ""
    postal: dict[str, Any] = _json(dict)  # line1, line2, postal_code, city, region, country
    postal_invalid: str = ""
    superseded: dict[str, Any] = _json(dict)
    fixed: dict[str, list[str]] = _json(dict)


class Closure(SQLModel, table=True):
    """The latest word of each ``source`` about an address: it closes it or opens it again.

    ``kind`` is email or phone, ``address`` as ``store.closures.key_of`` has it, ``at`` the time of
    the event.
    """

    __table_args__ = (
        sa.Index("ix_closure_end", "organisation_id", "kind", sa.text(PHONE_END.format("address"))),
    )

    organisation_id: uuid.UUID = Field(foreign_key="organisation.id", primary_key=True)
    kind: str = Field(primary_key=True)
    address: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    closed: bool
    cause: str
    at: datetime = Field(sa_type=sa.DateTime(timezone=True))
    reason: str = ""


class Invoice(SQLModel, table=True):
    """``balance`` = total less what is applied, kept under the customer's lock."""

    __table_args__ = (
        sa.UniqueConstraint("organisation_id", "external_id"),
        sa.Index("ix_invoice_open", "customer_id", postgresql_where=sa.text("status = 'open'")),
        sa.Index(
            "ix_invoice_open_by_key",
            "organisation_id",
            "external_id",
            postgresql_where=sa.text("status = 'open'"),
        ),
        sa.Index("ix_invoice_customer_id_issued_on", "customer_id", "issued_on"),
        sa.Index("ix_invoice_organisation_id_number", "organisation_id", "number"),
        sa.Index("ix_invoice_pdf_id", "pdf_id", postgresql_where=sa.text("pdf_id IS NOT NULL")),
    )

    id: uuid.UUID = _id()
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    customer_id: uuid.UUID = Field(foreign_key="customer.id")
    external_id: str
    number: str
    issued_on: date
    due_on: date | None = None
    total: Decimal = _money()
    balance: Decimal = _money()
    currency: str
    status: str = "open"
    closed_at: datetime | None = _instant()
    closed_reason: str = ""
    disputed_at: datetime | None = _instant()
    dispute_reason: str = ""
    url: str = ""  # the page on which the customer sees or pays it
    pdf_id: uuid.UUID | None = _maybe("file.id")
    source_updated_at: datetime | None = _instant()
    created_at: datetime = _created()


class Credit(SQLModel, table=True):
    """What lowers a debt: a ``payment`` or a ``credit_note``. What is not applied to an invoice, or
    exceeds its total, is the customer's unapplied credit (rule 42)."""

    __table_args__ = (sa.UniqueConstraint("organisation_id", "kind", "external_id"),)

    id: uuid.UUID = _id()
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    customer_id: uuid.UUID = _ref("customer.id")
    kind: str
    external_id: str
    amount: Decimal = _money()
    currency: str
    on_date: date  # paid on, or issued on
    reversed_at: datetime | None = _instant()
    reversed_reason: str = ""
    source_updated_at: datetime | None = _instant()
    created_at: datetime = _created()


class Application(SQLModel, table=True):
    """How much of a credit is meant for which invoice."""

    credit_id: uuid.UUID = Field(foreign_key="credit.id", primary_key=True)
    invoice_id: uuid.UUID = Field(foreign_key="invoice.id", primary_key=True, index=True)
    amount: Decimal = _money()


class UnappliedCredit(SQLModel, table=True):
    """A customer's unapplied credit by currency (rule 42): its credits that are not reversed, less
    ``total - balance`` of its invoices that are not void. Triggers on both tables keep it, whoever
    writes there (decision 0031); no code writes here."""

    __tablename__ = "unapplied_credit"

    customer_id: uuid.UUID = Field(foreign_key="customer.id", primary_key=True)
    currency: str = Field(primary_key=True)
    amount: Decimal = _money()


class Pause(SQLModel, table=True):
    """Of a customer or of one invoice; ends at the start of ``until`` or when resumed (rule 38)."""

    __table_args__ = (
        sa.Index(
            "ix_pause_of_customer",
            "customer_id",
            postgresql_where=sa.text("invoice_id IS NULL AND resumed_at IS NULL"),
        ),
    )

    id: uuid.UUID = _id()
    customer_id: uuid.UUID = _ref("customer.id")
    invoice_id: uuid.UUID | None = _maybe("invoice.id", index=True)
    until: date | None = None
    reason: str = ""
    created_by: str = ""
    created_at: datetime = _created()
    resumed_at: datetime | None = _instant()


class Promise(SQLModel, table=True):
    """A promise to pay; ``outcome`` is kept, part_kept, broken, ended or withdrawn (rule 40).

    ``paid_before``: payments that were applied to the invoice when it was made, by id, as text.
    """

    __table_args__ = (
        sa.Index("ix_promise_running", "customer_id", postgresql_where=sa.text("outcome IS NULL")),
    )

    id: uuid.UUID = _id()
    customer_id: uuid.UUID = _ref("customer.id")
    invoice_id: uuid.UUID = _ref("invoice.id")
    promised_on: date
    amount: Decimal | None = Field(default=None, sa_type=sa.Numeric(20, 4))
    balance_then: Decimal = _money()
    paid_before: dict[str, str] = _json(dict)
    note: str = ""
    created_by: str = ""
    created_at: datetime = _created()
    outcome: str | None = None
    outcome_at: datetime | None = _instant()


class Action(SQLModel, table=True):
    """One occurrence of a step for one customer on one carrying invoice. A task without a step
    (rules 26, 42) has no ``step_key``. ``edits``: what its owner changed (rule 28); the
    words of a call or a task stand apart, under ``script`` (``backoffice.worklist.edits``)."""

    __table_args__ = (
        sa.UniqueConstraint("invoice_id", "plan_id", "step_key", "occurrence", "attempt"),
        sa.Index(
            "ix_action_open_task",
            "invoice_id",
            "cause",
            unique=True,
            postgresql_where=sa.text("step_key IS NULL AND status = 'to_do'"),
        ),
        sa.Index(
            "ix_action_live",
            "customer_id",
            postgresql_where=sa.text("status IN ('needs_review', 'planned', 'sending', 'to_do')"),
        ),
        sa.Index(
            "ix_action_live_by_age",
            "organisation_id",
            "seq",
            postgresql_where=sa.text("status IN ('needs_review', 'planned', 'sending', 'to_do')"),
        ),
        sa.Index("ix_action_customer_id_executed_at", "customer_id", "executed_at"),
        sa.Index("ix_action_owner_id_status", "owner_id", "status"),
        sa.Index(
            "ix_action_attachments",
            sa.text("(edits -> 'attachments')"),
            postgresql_using="gin",
        ),
        sa.Index("ix_action_organisation_id_seq", "organisation_id", "seq"),
    )

    id: uuid.UUID = _id()
    seq: int | None = Field(
        default=None, sa_column=sa.Column(sa.BigInteger, sa.Identity(always=False), nullable=False)
    )
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    customer_id: uuid.UUID = _ref("customer.id", index=False)
    invoice_id: uuid.UUID = _ref("invoice.id", index=False)
    plan_id: uuid.UUID | None = _maybe("plan.id")
    plan_version_id: uuid.UUID | None = _maybe("plan_version.id")
    step_key: str | None = None
    name: str
    occurrence: int = 0
    attempt: int = 0
    type: str
    executed_type: str | None = None
    automatic: bool = False
    status: str
    cause: str | None = None
    reason: str = ""
    owner_id: uuid.UUID | None = Field(default=None, foreign_key="member.id")
    trigger_on: date | None = None
    planned_for: datetime | None = _instant()
    shown_at: datetime | None = _instant()
    requested_at: datetime | None = _instant()
    requested_by: uuid.UUID | None = _maybe("member.id")
    executed_at: datetime | None = _instant()
    ended_at: datetime | None = _instant()
    ended_by: str = ""
    note: str = ""
    edits: dict[str, Any] = _json(dict)
    created_at: datetime = _created()


class Delivery(SQLModel, table=True):
    """One message handed to one provider: planned -> sending -> accepted | rejected | unknown;
    unknown -> accepted | needs_review; needs_review -> accepted | planned | abandoned.

    ``message`` is what was sent, frozen, and ``message_hash`` its SHA-256. A claim past
    ``deadline`` (real clock) with no outcome is unknown; of an unknown one it is when the provider
    is asked next (the organisation's time). ``sends``: how often it was handed over;
    ``first_claimed_at``: first when. ``account``: the mark of the provider's account it was last
    claimed for, ``signers`` those of the keys that sign that account's callbacks; empty for what
    was claimed before marks were kept.
    """

    __table_args__ = (
        sa.Index("ix_delivery_provider_provider_id", "provider", "provider_id"),
        sa.Index(
            "ix_delivery_attachments",
            sa.text("(message -> 'attachments')"),
            postgresql_using="gin",
        ),
    )

    id: uuid.UUID = Field(primary_key=True)
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    customer_id: uuid.UUID = _ref("customer.id")
    action_id: uuid.UUID = Field(foreign_key="action.id", unique=True)
    channel: str
    provider: str
    account: str = ""
    signers: list[str] = _json(list)
    status: str
    claim: uuid.UUID | None = None
    claimed_at: datetime | None = _instant()
    first_claimed_at: datetime | None = _instant()
    deadline: datetime | None = _instant()
    settled_at: datetime | None = _instant()
    sends: int = 0
    look_ups: int = 0
    provider_id: str = ""
    tracking_number: str = ""
    error: str = ""
    message: dict[str, Any] = _json(dict)
    message_hash: str = ""


class DeliveryRecipient(SQLModel, table=True):
    """What became of a message at one address: ``DeliveryFacts``, each with its time.

    ``address`` is as it was sent to; ``address_key`` the same in lower case.
    """

    __tablename__ = "delivery_recipient"
    __table_args__ = (sa.Index("ix_delivery_recipient_address_key", "address_key"),)

    delivery_id: uuid.UUID = Field(foreign_key="delivery.id", primary_key=True)
    address_key: str = Field(primary_key=True)
    address: str
    role: str
    name: str = ""
    contact_id: uuid.UUID | None = None
    sent_at: datetime | None = _instant()
    received_at: datetime | None = _instant()
    opened_at: datetime | None = _instant()
    machine_opened_at: datetime | None = _instant()
    clicked_at: datetime | None = _instant()
    bounced_at: datetime | None = _instant()
    failed_at: datetime | None = _instant()
    returned_at: datetime | None = _instant()
    complained_at: datetime | None = _instant()
    unsubscribed_at: datetime | None = _instant()
    reason: str = ""


class Callback(SQLModel, table=True):
    """A provider's call, stored before it is thought about. ``organisation_id``: whose account's
    key signed it; None = the installation's. ``account``: the mark of that account, ``signer`` of
    the very key. ``outcome``: done, unmatched, refused (unreadable)."""

    __table_args__ = (
        sa.Index("ix_callback_waiting", "id", postgresql_where=sa.text("outcome = ''")),
        sa.Index("ix_callback_outcome_ended_at", "outcome", "ended_at"),
        sa.Index(
            "ix_callback_left",
            "organisation_id",
            "outcome",
            "id",
            postgresql_where=sa.text("outcome IN ('unmatched', 'refused')"),
        ),
    )

    id: int | None = _big_serial()
    provider: str
    organisation_id: uuid.UUID | None = _maybe("organisation.id")
    account: str = ""
    signer: str = ""
    url: str
    headers: dict[str, str] = _json(dict)
    body: bytes
    received_at: datetime = _created()
    outcome: str = ""
    error: str = ""
    tries: int = 0
    next_try_at: datetime | None = _instant()
    ended_at: datetime | None = _instant()


class Reply(SQLModel, table=True):
    """What a customer wrote back; ``key`` is the provider's id of it, so that it counts once."""

    __table_args__ = (sa.UniqueConstraint("organisation_id", "key"),)

    id: uuid.UUID = _id()
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    customer_id: uuid.UUID = _ref("customer.id")
    delivery_id: uuid.UUID | None = _maybe("delivery.id", index=True)
    key: str
    channel: str
    sender: str
    subject: str = ""
    text: str
    automatic: bool = False
    at: datetime = _created()


class Link(SQLModel, table=True):
    """A short link in a message, to the invoice or payment page; the target never comes from
    the address that is opened."""

    __table_args__ = (sa.Index("ix_link_created_at", "created_at"),)

    token: str = Field(primary_key=True)
    delivery_id: uuid.UUID = Field(unique=True)
    target: str
    created_at: datetime = _created()


class File(SQLModel, table=True):
    """The PDF of an invoice, or a file that an owner attached. Immutable."""

    __table_args__ = (
        sa.Index("ix_file_organisation_id_sha256", "organisation_id", "sha256"),
        sa.Index("ix_file_created_at", "created_at"),
    )

    id: uuid.UUID = _id()
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    name: str
    content_type: str
    size: int
    sha256: str
    content: bytes
    created_by: str = ""
    created_at: datetime = _created()


class ProviderAccount(SQLModel, table=True):
    """An organisation's own account at a provider. ``sealed``: its credentials, encrypted;
    ``shown``: what may be shown of them."""

    __tablename__ = "provider_account"

    organisation_id: uuid.UUID = Field(foreign_key="organisation.id", primary_key=True)
    provider: str = Field(primary_key=True)
    sealed: bytes
    shown: dict[str, Any] = _json(dict)
    updated_at: datetime = _created()
    updated_by: str = ""


class HeldAccount(SQLModel, table=True):
    """An account that its provider refuses, whatever the message: nothing of it leaves but one
    probe at a time. ``account`` is its mark, as a delivery's; ``organisation_id`` whose it is,
    None = the installation's. All times are the real ones. ``probes``: how many were sent since;
    until ``next_probe_at`` nobody calls the provider. It is over when ``ended_at`` is set, for the
    reason ``ended_by``."""

    __tablename__ = "held_account"
    __table_args__ = (
        sa.Index(
            "ix_held_account_open",
            "provider",
            "account",
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )

    id: uuid.UUID = _id()
    provider: str
    account: str
    channel: str
    organisation_id: uuid.UUID | None = _maybe("organisation.id", index=True)
    since: datetime = _created()
    reason: str
    probes: int = 0
    last_probe_at: datetime | None = _instant()
    next_probe_at: datetime = _created()
    ended_at: datetime | None = _instant()
    ended_by: str = ""


class CursorKey(SQLModel, table=True):
    """Seals the cursors of lists (``store.cursors``). The newest seals, all of them open: a row
    that is added is the next key, one that is deleted makes the cursors it sealed worthless."""

    __tablename__ = "cursor_key"

    version: int | None = _big_serial()
    key: bytes
    created_at: datetime = _created()


class OutboxMessage(SQLModel, table=True):
    """What a channel without a provider would have sent; its id is the delivery's."""

    __tablename__ = "outbox"
    __table_args__ = (
        sa.Index("ix_outbox_organisation_id_seq", "organisation_id", "seq"),
        sa.Index("ix_outbox_at", "at"),
    )

    delivery_id: uuid.UUID = Field(primary_key=True)
    seq: int | None = Field(
        default=None, sa_column=sa.Column(sa.BigInteger, sa.Identity(always=False), nullable=False)
    )
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    channel: str
    sender: str
    recipients: list[Any] = _json(list)
    subject: str = ""
    text: str = ""
    html: str = ""
    at: datetime = _created()


class TimelineEntry(SQLModel, table=True):
    """Append-only: what happened to a customer and to an invoice, and who did it."""

    __tablename__ = "timeline"
    __table_args__ = (
        sa.Index("ix_timeline_customer_id_id", "customer_id", "id"),
        sa.Index("ix_timeline_invoice_id_id", "invoice_id", "id"),
    )

    id: int | None = _big_serial()
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    customer_id: uuid.UUID = Field(foreign_key="customer.id")
    invoice_id: uuid.UUID | None = Field(default=None, foreign_key="invoice.id")
    action_id: uuid.UUID | None = None
    at: datetime = _created()
    kind: str
    text: str
    by: str = ""


class Nudge(SQLModel, table=True):
    """A signal that is to reach a customer's sequence; the relay deletes what it delivered.

    ``tries``: how often Temporal refused it, with ``error``; not tried again before
    ``next_try_at`` (real clock, None = at once).
    """

    id: int | None = _big_serial()
    organisation_id: uuid.UUID = _ref("organisation.id", index=False)
    customer_id: uuid.UUID = _ref("customer.id")
    signal: str
    payload: dict[str, Any] = _json(dict)
    created_at: datetime = _created()
    tries: int = 0
    next_try_at: datetime | None = _instant()
    error: str = ""


class Sequence(SQLModel, table=True):
    """What was last decided for a customer: written with each decision, read by pages, ``next`` and
    rehearsals. ``plan_id``: the plan it was decided with, None without one (rule 44). ``wake_at``
    is in the organisation's time, ``handled`` the last nudge taken in."""

    customer_id: uuid.UUID = Field(foreign_key="customer.id", primary_key=True)
    organisation_id: uuid.UUID = _ref("organisation.id")
    plan_id: uuid.UUID | None = None
    state: str
    invoice_id: uuid.UUID | None = None
    step_key: str | None = None
    then: str | None = None
    wake_at: datetime | None = _instant()
    summary: str = ""
    decided_at: datetime = _created()
    handled: int = Field(default=0, sa_type=sa.BigInteger)


class AppliedSignal(SQLModel, table=True):
    """A signal that was sent by hand and has been applied: a retried review applies it once."""

    __tablename__ = "applied_signal"
    __table_args__ = (sa.Index("ix_applied_signal_at", "at"),)

    customer_id: uuid.UUID = Field(foreign_key="customer.id", primary_key=True)
    id: str = Field(primary_key=True)
    at: datetime = _created()


TABLES: tuple[type[SQLModel], ...] = (
    Organisation, Member, GroupMember, ApiKey, Plan, PlanVersion, Customer, CustomerMember, Contact,
    Invoice, Credit, Application, Pause, Promise, Action, Delivery, OutboxMessage, TimelineEntry,
    Nudge, Sequence, AppliedSignal,
)  # fmt: skip
