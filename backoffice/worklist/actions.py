"""Working an action: what a member may see, complete, skip, edit and hand on (rules 27 to 32)."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from backoffice.delivery.deliveries import of_action
from backoffice.delivery.drafts import draft
from backoffice.ledger import files
from backoffice.people.owners import OPEN, hand_over, without_owner
from backoffice.people.visible import visible_to
from backoffice.worklist import edits
from backoffice.worklist.attachments import attached
from backoffice.worklist.decisions import end
from dunning.carrying import paused
from dunning.decide import decide
from dunning.plan import CHANNELS, ActionType
from dunning.recheck import why_not_again
from store import tables as t
from store.errors import Conflict, Invalid, NotFound
from store.load import Loaded, load
from store.nudges import nudge
from store.timeline import money, note
from store.unit import Unit

Scope = Literal["mine", "all", "without_owner"]


def find(unit: Unit, member: t.Member, key: str) -> t.Action:
    """An action the member may see; NotFound is the same for one that does not exist."""
    try:
        action_id = uuid.UUID(key)
    except ValueError:
        action_id = uuid.UUID(int=0)
    row = unit.session.exec(
        select(t.Action).where(
            t.Action.id == action_id,
            t.Action.organisation_id == member.organisation_id,
            visible_to(member),
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"no action {key!r}")
    return row


def list_actions(
    unit: Unit,
    member: t.Member,
    *,
    scope: Scope = "mine",
    status: str | None = None,
    automatic: bool | None = None,
    customer_id: uuid.UUID | None = None,
    today_end: datetime | None = None,
    after: int | None = None,
    limit: int = 50,
) -> list[t.Action]:
    """By age, from after the place ``after``. ``mine``: those of the member; without a ``status``
    the ones that are to be worked. Those of customers who are paused on the local day of
    ``today_end`` are left out (rule 39: hidden, not cancelled), but not of ``without_owner``: the
    open ones that nobody owns, of which an admin has no other list."""
    mine = scope == "mine"
    statement = (
        select(t.Action)
        .where(t.Action.organisation_id == member.organisation_id, visible_to(member))
        .order_by(col(t.Action.seq))
        .limit(limit)
    )
    if mine:
        statement = statement.where(t.Action.owner_id == member.id)
    if scope == "without_owner":
        statement = statement.where(without_owner())
    if mine and status is None:
        waits = (col(t.Action.status) == "to_do") & col(t.Action.requested_at).is_(None)
        statement = statement.where(waits | (col(t.Action.status) == "needs_review"))
    if status is not None:
        # Not a value: PostgreSQL could not use the index of the open ones.
        named = sa.literal(status, literal_execute=True)
        statement = statement.where(t.Action.status == named)
    if automatic is not None:
        statement = statement.where(t.Action.automatic == automatic)
    if customer_id is not None:
        statement = statement.where(t.Action.customer_id == customer_id)
    if after is not None:
        statement = statement.where(col(t.Action.seq) > after)
    if today_end is not None and scope != "without_owner":
        statement = statement.where(sa.not_(_hidden(today_end)))
    return list(unit.session.exec(statement))


def _hidden(today: datetime) -> ColumnElement[bool]:
    """Rule 39: the customer is paused, so what is to do waits out of sight. What may have left
    already is not: the answer to that sends nothing."""
    return sa.and_(
        col(t.Action.status) == "to_do",
        col(t.Action.step_key).is_not(None),
        sa.exists(
            select(t.Pause.id).where(
                t.Pause.customer_id == t.Action.customer_id,
                col(t.Pause.invoice_id).is_(None),
                col(t.Pause.resumed_at).is_(None),
                sa.or_(col(t.Pause.until).is_(None), col(t.Pause.until) > today.date()),
            )
        ),
    )


def _open(unit: Unit, member: t.Member, key: str) -> tuple[Loaded, t.Action, datetime]:
    """The member's own open action on the locked, freshly decided account.

    NotFound for anyone else's; Conflict, with who and when, for one that is no longer open. What is
    in doubt can be answered at any time (rule 36).
    """
    row = find(unit, member, key)
    loaded = load(unit, row.customer_id)
    unit.session.refresh(row)
    _refuse_ended(unit, row)
    if row.owner_id != member.id and _nobodys(unit, row):
        words = f"nobody owns this action; assign it with POST /v1/actions/{row.id}/assign first"
        raise Conflict(words)
    if row.owner_id != member.id or row.status not in OPEN:
        raise NotFound(f"no action {key!r}")
    if row.status == "needs_review":
        return loaded, row, unit.now
    decision = decide(loaded.account, unit.now)
    gone = [w for w in decision.withdraw if w.action_id == str(row.id)]
    if gone:
        raise Conflict(f"this action has no reason any more: {gone[0].text}; nothing was sent")
    stopped, until = paused(loaded.account.pauses, loaded.account.calendar.today(unit.now))
    if stopped and row.step_key is not None:
        raise Conflict(f"the customer is paused {f'until {until}' if until else 'until resumed'}")
    return loaded, row, unit.now


def _nobodys(unit: Unit, row: t.Action) -> bool:
    same = select(t.Action.id).where(t.Action.id == row.id, without_owner())
    return unit.session.exec(same).first() is not None


def _refuse_ended(unit: Unit, row: t.Action) -> None:
    """Rule 31: the first wins, the other is told who and when."""
    if row.requested_at is not None and row.status in ("to_do", "sending"):
        who = (
            unit.session.get_one(t.Member, row.requested_by).name
            if row.requested_by
            else "somebody"
        )
        raise Conflict(f"{who} completed this action at {row.requested_at:%Y-%m-%d %H:%M} UTC")
    if row.ended_at is not None:
        by = f" by {row.ended_by}" if row.ended_by else ""
        words = row.status.replace("_", " ")
        raise Conflict(f"this action is {words}{by} since {row.ended_at:%Y-%m-%d %H:%M} UTC")


def complete(
    unit: Unit,
    member: t.Member,
    key: str,
    text: str,
    *,
    seen_balance: Decimal | None = None,
) -> t.Action:
    """Complete an open action as its owner. An email, SMS or letter then leaves through the guarded
    path of every send (rule 30); a call or a task is done at once.

    ``seen_balance``: the balance on the member's page; Conflict when it has changed (rule 31).
    """
    loaded, row, at = _open(unit, member, key)
    _same_balance(loaded, row, seen_balance)
    row.note = text or row.note
    kind = ActionType(row.executed_type or row.type)
    if row.status == "to_do" and kind in CHANNELS:
        edits.check_words(row.edits, ActionType(row.type), kind)
        if all(a.role != "to" for a in draft(unit.at(at), loaded, row, member).addressees):
            raise Conflict(
                "nobody to send it to: correct the contact's address, or give the action recipients"
            )
        row.requested_at, row.requested_by = at, member.id
        words = f"'{row.name}' is completed and goes out"
    else:
        _done(unit.at(at).named(member.name), row)
        words = f"'{row.name}' ({kind.value}) is completed"
    words += f": {text}" if text else ""
    _tell(unit.at(at).named(member.name), loaded, row, "action_completed", words, "complete")
    return row


def _done(unit: Unit, row: t.Action) -> None:
    """It is executed: now, or, where its owner knows that a message in doubt was sent, when that
    was handed over."""
    sent = of_action(unit, row) if row.status == "needs_review" else None
    row.status, row.executed_type = "done", row.executed_type or row.type
    row.executed_at = sent.claimed_at if sent is not None and sent.claimed_at else unit.now
    row.ended_at, row.ended_by = unit.now, unit.by
    if sent is not None:
        sent.status, sent.settled_at = "accepted", unit.now


def skip(unit: Unit, member: t.Member, key: str, reason: str) -> t.Action:
    """Skip an open action, with a reason; it does not count as a contact (rule 32)."""
    if not reason.strip():
        raise Invalid.at("/reason", "say why the action is skipped (rule 32)")
    loaded, row, at = _open(unit, member, key)
    _give_up(unit.at(at), row)
    end(row, "skipped", reason, at, member.name)
    words = f"'{row.name}' is skipped: {reason}"
    _tell(unit.at(at).named(member.name), loaded, row, "action_skipped", words, "skip")
    return row


def _give_up(unit: Unit, row: t.Action) -> None:
    """Of a message whose outcome nobody knows: it is not looked for any more."""
    sent = of_action(unit, row) if row.status == "needs_review" else None
    if sent is not None:
        sent.status, sent.settled_at = "abandoned", unit.now


def send_again(
    unit: Unit,
    member: t.Member,
    key: str,
    text: str,
    *,
    seen_balance: Decimal | None = None,
) -> t.Action:
    """Send a message once more of which nobody knows whether it left: its owner takes the risk that
    it arrives twice. It leaves through the guarded path, under the same key. Conflict for an action
    whose message is not in doubt or has no reason any more, or a balance other than
    ``seen_balance``."""
    loaded, row, at = _open(unit, member, key)
    sent = of_action(unit, row)
    if row.status != "needs_review" or sent is None:
        raise Conflict("its message is not in doubt; complete or skip the action")
    _same_balance(loaded, row, seen_balance)
    gone = why_not_again(loaded.account, str(row.id), at)
    if gone:
        raise Conflict(f"it has no reason to be sent again: {gone}; say that it was sent, or give "
                       "it up")  # fmt: skip
    sent.status, sent.deadline = "planned", None
    row.status, row.cause, row.reason = "to_do", None, ""
    row.requested_at, row.requested_by, row.note = at, member.id, text or row.note
    unit.session.flush()
    words = f"'{row.name}' is sent again" + (f": {text}" if text else "")
    _tell(unit.at(at).named(member.name), loaded, row, "action_sent_again", words, "complete")
    return row


def _same_balance(loaded: Loaded, row: t.Action, seen: Decimal | None) -> None:
    """Rule 31: a balance that changed since the page was opened is told before sending."""
    invoice = loaded.invoices.get(row.invoice_id)
    if seen is not None and invoice is not None and invoice.balance != seen:
        raise Conflict(
            f"the balance of {invoice.number} is now {money(invoice.balance, invoice.currency)}, "
            f"not {seen:f}; look again before sending"
        )


def edit(unit: Unit, member: t.Member, key: str, changes: dict[str, Any]) -> t.Action:
    """Change an open action before completing (rule 28): type, recipients, cc, bcc, subject, body,
    note, whether the PDFs of its invoices go with it. The planned type stays on record beside the
    executed one. Invalid, at the texts, for a call or a task that becomes a message and has no
    words for the customer."""
    loaded, row, at = _open(unit, member, key)
    _refuse_in_doubt(row)
    kind = changes.pop("type", None)
    if kind is not None:
        row.executed_type = ActionType(kind).value
    if "note" in changes:
        row.note = changes.pop("note")
    planned, kind = ActionType(row.type), ActionType(row.executed_type or row.type)
    row.edits = edits.edited(row.edits, kind, changes)
    edits.check_words(row.edits, planned, kind)
    if changes.get("attach_invoices"):
        if kind is not ActionType.EMAIL:
            raise Invalid.at("/attach_invoices", f"only an email has attachments; it is a {kind}")
        files.check_size(attached(unit.at(at), loaded, row))
    _edited(unit.at(at).named(member.name), loaded, row, f"'{row.name}' is edited")
    return row


def attach(
    unit: Unit,
    member: t.Member,
    key: str,
    name: str,
    content_type: str,
    content: bytes,
) -> t.Action:
    """Attach a file to an open email of the member's own (rule 28). Conflict for an action of
    another type, Invalid for a file that cannot be attached or is too much."""
    loaded, row, at = _open(unit, member, key)
    _refuse_in_doubt(row)
    kind = ActionType(row.executed_type or row.type)
    if kind is not ActionType.EMAIL:
        raise Conflict(f"only an email has attachments; it is a {kind}")
    file = files.keep(unit.named(member.name), name, content_type, content)
    own = row.edits.get("attachments", [])
    if str(file.id) not in own:
        row.edits = {**row.edits, "attachments": [*own, str(file.id)]}
        files.check_size(attached(unit.at(at), loaded, row))
        words = f"{file.name} is attached to '{row.name}'"
        _edited(unit.at(at).named(member.name), loaded, row, words)
    return row


def detach(unit: Unit, member: t.Member, key: str, file: str) -> t.Action:
    """Take a file off again. NotFound for one that its owner did not attach."""
    loaded, row, at = _open(unit, member, key)
    _refuse_in_doubt(row)
    own = row.edits.get("attachments", [])
    if file not in own:
        raise NotFound(f"no file {file!r} was attached to this action")
    row.edits = {**row.edits, "attachments": [one for one in own if one != file]}
    (taken,) = files.about(unit, [file])
    words = f"{taken.name} is taken off '{row.name}'"
    _edited(unit.at(at).named(member.name), loaded, row, words)
    return row


def _refuse_in_doubt(row: t.Action) -> None:
    if row.status != "to_do":
        raise Conflict("its message may have left already; say what became of it")


def _edited(unit: Unit, loaded: Loaded, row: t.Action, words: str) -> None:
    note(unit, loaded.customer, "action_edited", words,
         invoice_id=row.invoice_id, action_id=row.id, by=unit.by)  # fmt: skip
    unit.session.flush()


def reassign(unit: Unit, member: t.Member, key: str, to: t.Member) -> t.Action:
    """Hand an own open action to another member."""
    loaded, row, at = _open(unit, member, key)
    hand_over(unit.at(at).named(member.name), loaded.customer, row, to)
    return row


def assign(unit: Unit, admin: t.Member, key: str, to: t.Member) -> t.Action:
    """An admin gives an open action that nobody owns to a member; NotFound for any other."""
    row = find(unit, admin, key)
    loaded = load(unit, row.customer_id)
    unit.session.refresh(row)
    if not _nobodys(unit, row):
        raise NotFound(f"no action {key!r}")
    hand_over(unit.named(admin.name), loaded.customer, row, to)
    return row


def work_open_action(
    unit: Unit,
    loaded: Loaded,
    how: str,
    text: str,
) -> bool:
    """Complete or skip the action that the sequence waits for, else the oldest open one: for a
    signal sent by hand (an engineer in the Temporal UI) or a rehearsed owner. False when none is
    open."""
    rows = [
        a for a in loaded.actions.values()
        if a.status in OPEN and a.requested_at is None and a.step_key is not None
    ]  # fmt: skip
    if not rows:
        return False
    waits_for = decide(loaded.account, unit.now).action_id
    row = min(rows, key=lambda a: (str(a.id) != waits_for, a.seq or 0))
    kind = ActionType(row.executed_type or row.type)
    if how == "skip":
        _give_up(unit, row)
        end(row, "skipped", text or "skipped by hand", unit.now, unit.by)
    elif row.status == "to_do" and kind in CHANNELS:
        row.requested_at, row.requested_by, row.note = unit.now, row.owner_id, text or row.note
    else:
        _done(unit, row)
        row.note = text or row.note
    words = f"'{row.name}' is {'skipped' if how == 'skip' else 'completed'}"
    words += f": {text}" if text else ""
    kind_ = "action_skipped" if how == "skip" else "action_completed"
    note(unit, loaded.customer, kind_, words,
         invoice_id=row.invoice_id, action_id=row.id, by=unit.by)  # fmt: skip
    unit.session.flush()
    return True


def _tell(
    unit: Unit,
    loaded: Loaded,
    row: t.Action,
    kind: str,
    text: str,
    signal: str,
) -> None:
    note(unit, loaded.customer, kind, text,
         invoice_id=row.invoice_id, action_id=row.id, by=unit.by)  # fmt: skip
    invoice = loaded.invoices.get(row.invoice_id)
    payload = {
        "id": str(row.id),
        "invoice": invoice.number if invoice else "",
        "who": unit.by,
        "why": row.name,
    }
    nudge(unit, loaded.customer, signal, payload)
    unit.session.flush()
