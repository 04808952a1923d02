"""An action as its reader sees it: in a list, and whole with the message as it would be sent."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.billing import invoices
from api.http.fields import MoneyOut, money
from api.http.files import FileOut, file_out
from api.http.rules import RuleLink, cited
from api.members import customers
from api.members.delivery_details import DeliveryOut, delivery_out
from backoffice.delivery import deliveries
from backoffice.delivery.answers import Answer, possible
from backoffice.delivery.drafts import draft
from backoffice.ledger import browse, files
from backoffice.people.visible import withheld_from
from backoffice.worklist.attachments import attached
from dunning.carrying import order
from dunning.model import ActionStatus, Cause, InvoiceStatus
from dunning.plan import CHANNELS, ActionType
from messages.compose import compose
from messages.draft import Draft
from messages.message import BadMessage
from messages.render import render
from messages.sms import normalise, segments
from messages.template import TemplateError
from store import tables as t
from store.load import Loaded, load
from store.unit import Unit


class CustomerName(BaseModel):
    id: uuid.UUID
    external_id: str
    name: str


class InvoiceName(BaseModel):
    id: uuid.UUID
    external_id: str
    number: str
    balance: MoneyOut
    currency: str


class ActionShort(BaseModel):
    id: uuid.UUID
    name: str
    customer: CustomerName
    invoice: InvoiceName = Field(description="The invoice that carried when it was made.")
    step: str | None = Field(description="Key of the step; null for a task without one.")
    planned_type: ActionType
    type: ActionType = Field(
        description="As it is, or was, executed (rule 28). Of an action that was withdrawn or "
        "skipped others than its owner see the planned one."
    )
    automatic: bool
    status: ActionStatus
    cause: Cause | None = Field(description="Why it is with its owner although the step is not.")
    reason: str
    rules: list[RuleLink] = Field(
        description="The rules that `reason` cites; of a single action, `message_problem` as well."
    )
    owner: customers.MemberShort | None
    planned_for: datetime | None
    shown_at: datetime | None = Field(description="Since when it is its owner's to do.")
    completed_at: datetime | None = Field(description="Completed, and leaving or gone.")
    executed_at: datetime | None
    ended_at: datetime | None
    ended_by: str


class Recipient(BaseModel):
    role: Literal["to", "cc", "bcc"]
    address: str
    name: str


class MessageOut(BaseModel):
    """For a call or a task `text` is its script, and `recipients` whom to reach."""

    sender_name: str
    sender_address: str
    recipients: list[Recipient]
    subject: str
    text: str
    html: str | None
    attachments: list[FileOut] = Field(description="Of an email, the PDFs of invoices included.")
    segments: int | None = Field(description="Of an SMS: for how many of them it is paid.")
    encoding: Literal["GSM-7", "UCS-2"] | None = Field(
        description="Of an SMS: one character outside of GSM-7 makes it UCS-2, of shorter segments."
    )


class Texts(BaseModel):
    """As they were written; empty: the built-in text of this type."""

    subject: str
    body: str


class Action(ActionShort):
    """Of an action that was withdrawn or skipped its owner's note, texts, recipients and
    attachments are shown to the owner alone (rule 29)."""

    note: str
    trigger_on: date | None = Field(description="The step's own date (rule 16).")
    message: MessageOut | None = Field(
        description="What was sent, or what would be sent right now (at the planned moment for a "
        "planned one); null when it cannot be made."
    )
    message_problem: str = Field(description="Why there is no message.")
    flagged_contacts: list[str] = Field(description="Meant, but without a valid address (rule 35).")
    texts: Texts | None
    attachments: list[FileOut] = Field(description="What its owner attached (rule 28).")
    delivery: DeliveryOut | None
    answers: list[Answer] = Field(
        description="What its owner may say now of a message that is in doubt, else nothing."
    )
    customer_detail: customers.Customer
    invoice_detail: invoices.Invoice
    other_open_invoices: list[invoices.InvoiceShort] = Field(description="Oldest first (rule 2).")


def short(unit: Unit, rows: list[t.Action], reader: t.Member) -> list[ActionShort]:
    people = browse.by_id(unit, t.Member, (r.owner_id for r in rows))
    whose = browse.by_id(unit, t.Customer, (r.customer_id for r in rows))
    carrying = browse.by_id(unit, t.Invoice, (r.invoice_id for r in rows))
    return [
        _short(
            r, whose[r.customer_id], carrying[r.invoice_id], people.get(r.owner_id or r.id), reader
        )
        for r in rows
    ]


def _short(
    row: t.Action,
    customer: t.Customer,
    invoice: t.Invoice,
    owner: t.Member | None,
    reader: t.Member,
) -> ActionShort:
    chosen = None if withheld_from(row, reader) else row.executed_type
    return ActionShort(
        id=row.id,
        name=row.name,
        customer=CustomerName(id=customer.id, external_id=customer.external_id, name=customer.name),
        invoice=InvoiceName(
            id=invoice.id,
            external_id=invoice.external_id,
            number=invoice.number,
            balance=money(invoice.balance, invoice.currency),
            currency=invoice.currency,
        ),
        step=row.step_key,
        planned_type=ActionType(row.type),
        type=ActionType(chosen or row.type),
        automatic=row.automatic,
        status=ActionStatus(row.status),
        cause=Cause(row.cause) if row.cause else None,
        reason=row.reason,
        rules=cited(row.reason),
        owner=customers.member_short(owner) if owner else None,
        planned_for=row.planned_for,
        shown_at=row.shown_at,
        completed_at=row.requested_at,
        executed_at=row.executed_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )


def whole(unit: Unit, row: t.Action, reader: t.Member) -> Action:
    """As ``reader`` may see it, who may see that it is there
    (``backoffice.worklist.lists.find``)."""
    withheld = withheld_from(row, reader)
    loaded = load(unit, row.customer_id, lock=False)
    delivery = deliveries.of_action(unit, row)
    invoice = unit.session.get_one(t.Invoice, row.invoice_id)
    drafted = None if withheld else drafted_for(unit, loaded, row)
    message: MessageOut | None = None
    problem = ""
    if delivery is not None and delivery.message and _may_have_left(delivery, row):
        message = _frozen(unit, delivery)
    elif withheld:
        problem, delivery = "nothing was sent", None
    elif row.ended_at is not None:
        problem = "nothing was sent"
    elif drafted is None:
        problem = f"{invoice.number} {invoice.closed_reason or 'is closed'}"
    else:
        try:
            message = in_words(drafted, row, attached_to(unit, loaded, row))
        except (BadMessage, TemplateError) as error:
            problem = str(error)
    order_of = {i.id: order(i) for i in loaded.account.invoices if i.status is InvoiceStatus.OPEN}
    others = [
        i for i in loaded.invoices.values() if str(i.id) in order_of and i.id != row.invoice_id
    ]
    others.sort(key=lambda i: order_of[str(i.id)])
    kept = () if withheld else row.edits.get("attachments", ())
    own = files.about(unit, kept)
    return Action(
        **short(unit, [row], reader)[0].model_dump(exclude={"rules"}),
        rules=cited(f"{row.reason} {problem}"),
        note="" if withheld else row.note,
        trigger_on=row.trigger_on,
        message=message,
        message_problem=problem,
        flagged_contacts=list(drafted.flagged) if drafted and row.ended_at is None else [],
        texts=Texts(subject=drafted.subject, body=drafted.body) if drafted else None,
        attachments=[file_out(file) for file in own],
        delivery=delivery_out(unit, delivery) if delivery else None,
        answers=possible(unit, loaded, row),
        customer_detail=customers.whole(unit, loaded.customer),
        invoice_detail=invoices.whole(unit, invoice),
        other_open_invoices=invoices.short(unit, others),
    )


def _may_have_left(delivery: t.Delivery, row: t.Action) -> bool:
    """A message that certainly has not left is put into the words of the day when it does."""
    if delivery.status != "planned":
        return True
    return row.ended_at is not None and delivery.first_claimed_at is not None


def drafted_for(
    unit: Unit,
    loaded: Loaded,
    row: t.Action,
    by: t.Member | None = None,
) -> Draft | None:
    """The draft of an action; None when its invoice is closed, so that nothing will be sent."""
    if str(row.invoice_id) not in {i.id for i in loaded.account.invoices}:
        return None
    return draft(unit.at(_leaves_at(row, unit.now)), loaded, row, by)


def attached_to(unit: Unit, loaded: Loaded, row: t.Action) -> list[t.File]:
    return attached(unit.at(_leaves_at(row, unit.now)), loaded, row)


def _leaves_at(row: t.Action, at: datetime) -> datetime:
    if row.status == ActionStatus.PLANNED and row.planned_for is not None:
        return max(at, row.planned_for)
    return at


def in_words(drafted: Draft, row: t.Action, attached: Sequence[t.File] = ()) -> MessageOut:
    """Raises BadMessage or TemplateError when it cannot be sent as it stands."""
    if drafted.channel not in CHANNELS:
        words = render(drafted.subject, drafted.body, drafted.facts, drafted.channel)
        to = [Recipient(role="to", address=a.address, name=a.name) for a in drafted.addressees]
        return MessageOut(
            sender_name=drafted.sender_name,
            sender_address=drafted.sender_address,
            recipients=to,
            subject=words.subject,
            text=words.text,
            html=None,
            attachments=[],
            segments=None,
            encoding=None,
        )
    made = compose(drafted, str(deliveries.delivery_id(row)), str(row.organisation_id))
    return MessageOut(
        sender_name=made.sender_name,
        sender_address=made.sender_address,
        recipients=[
            Recipient(role=r.role.value, address=r.address, name=r.name) for r in made.recipients
        ],
        subject=made.subject,
        text=made.text,
        html=made.html,
        attachments=[file_out(file) for file in attached],
        **_length(drafted.channel, made.text),
    )


def _length(channel: ActionType, text: str) -> dict[str, Any]:
    if channel is not ActionType.SMS:
        return {"segments": None, "encoding": None}
    found = segments(normalise(text))
    return {"segments": found.segments, "encoding": found.encoding}


def _frozen(unit: Unit, delivery: t.Delivery) -> MessageOut:
    message = delivery.message
    ids = [one["file_id"] for one in message.get("attachments", ())]
    attached = files.about(unit, ids)
    return MessageOut(
        sender_name=message["sender_name"],
        sender_address=message["sender_address"],
        recipients=[
            Recipient(role=r["role"], address=r["address"], name=r["name"])
            for r in message["recipients"]
        ],
        subject=message["subject"],
        text=message["text"],
        html=message["html"],
        attachments=[file_out(file) for file in attached],
        **_length(ActionType(delivery.channel), message["text"]),
    )
