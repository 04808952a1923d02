"""An action as its reader sees it, whole: with its message as it was sent or would be sent."""

from __future__ import annotations

import uuid
from datetime import date

from pydantic import BaseModel, Field

from api.billing import invoices
from api.http.files import FileOut, file_out
from api.http.rules import cited
from api.members import customers
from api.members.delivery_details import DeliveryOut, delivery_out
from api.members.listed_actions import ActionShort, short
from api.members.message_details import MessageOut, as_sent, in_words
from backoffice.delivery import deliveries
from backoffice.delivery.answers import Answer, possible
from backoffice.delivery.leaving import draft_of, files_of
from backoffice.ledger import files
from backoffice.people.visible import withheld_from
from dunning.carrying import order
from dunning.delivery_status import DeliveryStatus
from dunning.ids import FileId, InvoiceId
from dunning.model import InvoiceStatus
from messages.draft import Draft
from messages.message import BadMessage
from messages.template import TemplateError
from store import tables as t
from store.load import Loaded, load
from store.unit import Unit


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


def whole(unit: Unit, row: t.Action, reader: t.Member) -> Action:
    """As ``reader`` may see it, who may see that it is there
    (``backoffice.worklist.lists.find``)."""
    withheld = withheld_from(row, reader)
    loaded = load(unit, row.customer_id, lock=False)
    delivery = deliveries.of_action(unit, row)
    invoice = unit.session.get_one(t.Invoice, row.invoice_id)
    drafted = None if withheld else draft_of(unit, loaded, row)
    if delivery is not None and delivery.message and _may_have_left(delivery, row):
        message, problem = as_sent(unit, delivery), ""
    elif withheld or row.ended_at is not None:
        message, problem = None, "nothing was sent"
    else:
        message, problem = _to_be_sent(unit, loaded, row, invoice, drafted)
    shown = delivery if message is not None or not withheld else None
    kept = () if withheld else row.edits.get("attachments", ())
    attached = files.about(unit, [FileId(uuid.UUID(key)) for key in kept])
    return Action(
        **short(unit, [row], reader)[0].model_dump(exclude={"rules"}),
        rules=cited(f"{row.reason} {problem}"),
        note="" if withheld else row.note,
        trigger_on=row.trigger_on,
        message=message,
        message_problem=problem,
        flagged_contacts=list(drafted.flagged) if drafted and row.ended_at is None else [],
        texts=Texts(subject=drafted.subject, body=drafted.body) if drafted else None,
        attachments=[file_out(file) for file in attached],
        delivery=delivery_out(unit, shown) if shown else None,
        answers=possible(unit, loaded, row),
        customer_detail=customers.whole(unit, loaded.customer),
        invoice_detail=invoices.whole(unit, invoice),
        other_open_invoices=invoices.short(unit, _other_open_invoices(loaded, row)),
    )


def _to_be_sent(
    unit: Unit, loaded: Loaded, row: t.Action, invoice: t.Invoice, drafted: Draft | None
) -> tuple[MessageOut | None, str]:
    """The message, or why there is none."""
    if drafted is None:
        return None, f"{invoice.number} {invoice.closed_reason or 'is closed'}"
    try:
        return in_words(drafted, row, files_of(unit, loaded, row)), ""
    except (BadMessage, TemplateError) as error:
        return None, str(error)


def _other_open_invoices(loaded: Loaded, row: t.Action) -> list[t.Invoice]:
    """Oldest first (rule 2)."""
    opened = [i for i in loaded.account.invoices if i.status is InvoiceStatus.OPEN]
    rows = [loaded.invoices[InvoiceId(uuid.UUID(i.id))] for i in sorted(opened, key=order)]
    return [other for other in rows if other.id != row.invoice_id]


def _may_have_left(delivery: t.Delivery, row: t.Action) -> bool:
    """A message that has not left yet is shown as it would be rendered now."""
    if delivery.status != DeliveryStatus.PLANNED:
        return True
    return row.ended_at is not None and delivery.first_claimed_at is not None
