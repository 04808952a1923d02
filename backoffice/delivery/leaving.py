"""What an action would send at the moment it leaves, and whether it can leave."""

from __future__ import annotations

from backoffice.delivery.deliveries import delivery_id
from backoffice.delivery.drafts import check_sender, draft
from backoffice.ledger.files import check_size
from backoffice.worklist.attachments import attached
from dunning.model import ActionStatus
from messages.compose import compose
from messages.draft import Draft
from messages.message import BadMessage
from messages.template import TemplateError
from store import tables as t
from store.errors import Invalid
from store.load import Loaded, load
from store.unit import Unit


def draft_of(
    unit: Unit, loaded: Loaded, action: t.Action, completed_by: t.Member | None = None
) -> Draft | None:
    """The draft; None if the invoice is closed, so that nothing will be sent."""
    if str(action.invoice_id) not in {i.id for i in loaded.account.invoices}:
        return None
    return draft(_when_it_leaves(unit, action), loaded, action, completed_by)


def files_of(unit: Unit, loaded: Loaded, action: t.Action) -> list[t.File]:
    return attached(_when_it_leaves(unit, action), loaded, action)


def _when_it_leaves(unit: Unit, action: t.Action) -> Unit:
    """A planned action leaves at its planned moment, any other now."""
    if action.status == ActionStatus.PLANNED and action.planned_for is not None:
        return unit.at(max(unit.now, action.planned_for))
    return unit


def refuse_what_cannot_leave(unit: Unit, action: t.Action, member: t.Member) -> None:
    """For an email, an SMS or a letter that ``member`` completes: refuses now what would fail
    later, while the member can still edit the action. Raises NotVerified, Invalid."""
    loaded = load(unit, action.customer_id)
    drafted = draft_of(unit, loaded, action, member)
    assert drafted is not None, "an action that is completed has an open invoice"
    check_sender(loaded.organisation, drafted)
    check_size(files_of(unit, loaded, action))
    try:
        compose(drafted, str(delivery_id(action)), str(action.organisation_id))
    except BadMessage as error:
        where = "/recipients" if error.part.startswith("recipient") else ""
        raise Invalid.at(where, f"it cannot be sent: {error}; edit the action first") from None
    except TemplateError as error:
        raise Invalid.at(f"/{error.where}", f"it cannot be sent: {error.reason}") from None
