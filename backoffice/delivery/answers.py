"""A message in doubt: its owner says that it was sent, sends it again, or gives it up (rule 36)."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from backoffice.delivery.completing import complete, skip
from backoffice.delivery.deliveries import of_action
from backoffice.delivery.states import move
from backoffice.worklist.lists import find
from backoffice.worklist.own import own_open, refuse_other_balance
from backoffice.worklist.states import note_about, reopen
from backoffice.worklist.working import How, request, tell_sequence
from dunning.delivery_status import DeliveryStatus
from dunning.model import ActionStatus
from dunning.recheck import why_not_again
from store import tables as t
from store.errors import Conflict
from store.load import Loaded
from store.unit import Unit

Answer = Literal["it_was_sent", "send_again", "give_up"]
_NOT_IN_DOUBT = "its message is not in doubt; complete or skip the action"


def possible(unit: Unit, loaded: Loaded, row: t.Action) -> list[Answer]:
    """The owner's possible answers. "Send again" only if it would still be sent now (rule 36)."""
    if row.status != ActionStatus.NEEDS_REVIEW:
        return []
    if why_not_again(loaded.account, str(row.id), unit.now):
        return ["it_was_sent", "give_up"]
    return ["it_was_sent", "send_again", "give_up"]


def answer(
    unit: Unit,
    member: t.Member,
    key: str,
    said: Answer,
    text: str,
    *,
    seen_balance: Decimal | None = None,
) -> t.Action:
    """Records the owner's answer. Conflict for an action whose message is not in doubt."""
    if find(unit, member, key).status != ActionStatus.NEEDS_REVIEW:
        raise Conflict(_NOT_IN_DOUBT)
    if said == "it_was_sent":
        return complete(unit, member, key, text)
    if said == "give_up":
        return skip(unit, member, key, text.strip() or "given up")
    return send_again(unit, member, key, text, seen_balance=seen_balance)


def send_again(
    unit: Unit, member: t.Member, key: str, text: str, *, seen_balance: Decimal | None = None
) -> t.Action:
    """Sends a message in doubt once more; its owner accepts that it may arrive twice. It is sent
    through the guarded path of every send, under the same idempotency key. Conflict for an action
    whose message is not in doubt or has no reason any more, or for a balance other than
    ``seen_balance`` (rule 31)."""
    loaded, row = own_open(unit, member, key)
    sent = of_action(unit, row)
    if row.status != ActionStatus.NEEDS_REVIEW or sent is None:
        raise Conflict(_NOT_IN_DOUBT)
    refuse_other_balance(loaded, row, seen_balance)
    gone = why_not_again(loaded.account, str(row.id), unit.now)
    if gone:
        said = "say that it was sent, or give it up"
        raise Conflict(f"it has no reason to be sent again: {gone}; {said}")
    move(sent, DeliveryStatus.PLANNED, unit.now)
    reopen(row)
    request(unit, row, member.id, text)
    unit.session.flush()
    by = unit.named(member.name)
    words = f"'{row.name}' is sent again" + (f": {text}" if text else "")
    note_about(by, loaded.customer, row, "action_sent_again", words)
    tell_sequence(by, loaded, row, How.COMPLETE)
    unit.session.flush()
    return row
