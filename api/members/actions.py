"""Actions: list mine, read one, edit, complete, skip, hand on (rules 27 to 32).

Rule 29 is decided in ``backoffice.worklist.lists``: what a member may not see is answered like
what is not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from api.http import pages
from api.http.auth import Admin, Member, require_admin
from api.http.bodies import BodyRoute
from api.http.fields import EMAIL, Body, Key, Line, Money, Text, Words
from api.http.work import Work
from api.members import action_details, listed_actions
from api.members.action_details import Action
from api.members.listed_actions import ActionShort
from backoffice.delivery import answers, completing
from backoffice.delivery.leaving import refuse_what_cannot_leave
from backoffice.people.members import member_or_404
from backoffice.worklist import actions
from backoffice.worklist.lists import Scope, Wanted, find, list_actions
from backoffice.worklist.states import type_of
from dunning.model import ActionStatus
from dunning.plan import ActionType
from messages.check import check
from messages.template import TemplateError
from store.errors import Invalid

router = APIRouter(route_class=BodyRoute, tags=["actions"])

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
Addresses = Annotated[
    list[Annotated[Text, Field(min_length=1, max_length=1000)]], Field(max_length=100)
]


class Actions(pages.Page):
    items: list[ActionShort]


class ActionEdit(Body):
    """What is absent stays as it is. Texts are templates; empty ones are the built-in text. Those
    of a call or a task are a script that never leaves: one that becomes an email, an SMS or a
    letter needs texts of its own."""

    type: ActionType = ActionType.EMAIL
    recipients: Annotated[Addresses, Field(min_length=1)] = Field(
        [], description="Email addresses, numbers as +33123456789, or lines of postal addresses."
    )
    cc: Addresses = Field([])
    bcc: Addresses = Field([])
    subject: Line = ""
    body: Text = ""
    note: Words = ""
    attach_invoices: Annotated[bool, Field(strict=True)] = Field(
        False, description="An email: with the PDFs of the invoices that it lists."
    )


class Completion(Body):
    note: Words = Field("", examples=["Spoke with Ada; she pays on Friday"])
    seen_balance: Money | None = Field(
        None, description="The balance on your page: 409 when it has changed since (rule 31)."
    )


class Answer(Body):
    answer: answers.Answer = Field(
        description="`send_again` may reach the customer twice; `give_up` counts as skipped."
    )
    note: Words = Field("", examples=["Eve says she has it"])
    seen_balance: Money | None = Field(
        None, description="To send again: 409 when the balance has changed since (rule 31)."
    )


class Skip(Body):
    reason: Annotated[Words, Field(min_length=1)] = Field(examples=["already on the phone"])


class HandOver(Body):
    to: Key = Field(description="A member: address or id.", examples=["ben@example.com"])


@dataclass(frozen=True, slots=True)
class _Asked:
    page: pages.Part
    wanted: Wanted


def _asked(
    page: pages.Asked,
    scope: Annotated[
        Scope,
        Query(
            description="`all`: everything that you may see (rule 29). `without_owner`: open ones "
            "that nobody owns; for admins."
        ),
    ] = "mine",
    status: Annotated[ActionStatus | None, Query()] = None,
    automatic: Annotated[bool | None, Query(description="Made by an automatic step.")] = None,
    customer: Annotated[Key | None, Query()] = None,
) -> _Asked:
    wanted = Wanted(scope=scope, status=status, automatic=automatic, customer=customer)
    return _Asked(page, wanted)


@router.get("/actions", operation_id="list_actions")
def list_all(member: Member, unit: Work, asked: Annotated[_Asked, Depends(_asked)]) -> Actions:
    """Mine that are to be worked, oldest first; those of paused customers are out of sight,
    but for messages in doubt."""
    page, wanted = asked.page, asked.wanted
    if wanted.scope == "without_owner":
        require_admin(member)
    rows = list_actions(unit, member, wanted, after=page.after_number, limit=page.limit + 1)
    kept, following = page.cut(rows, lambda row: row.seq)
    return Actions(items=listed_actions.short(unit, kept, member), next_cursor=following)


@router.get("/actions/{action}", operation_id="get_action")
def get(action: Key, member: Member, unit: Work) -> Action:
    """One action, with its script or its message exactly as it would be sent, or was."""
    row = find(unit, member, action)
    return action_details.whole(unit, row, member)


@router.patch("/actions/{action}", operation_id="edit_action")
def edit(action: Key, body: ActionEdit, member: Member, unit: Work) -> Action:
    """Change an open action of mine before completing it (rule 28)."""
    changes = body.model_dump(include=body.model_fields_set)
    row = actions.edit(unit, member, action, dict(changes))
    _check_edit(type_of(row), changes)
    return action_details.whole(unit, row, member)


def _check_edit(kind: ActionType, changes: dict[str, Any]) -> None:
    try:
        check(changes.get("subject", ""), changes.get("body", ""))
    except TemplateError as error:
        raise Invalid.at(f"/{error.where}", error.reason) from None
    form, words = {
        ActionType.EMAIL: (EMAIL, "is not an e-mail address"),
        ActionType.SMS: (_NUMBER, "is not a number such as +33123456789"),
    }.get(kind, (None, ""))
    for name in ("recipients", "cc", "bcc"):
        for place, address in enumerate(changes.get(name, ())):
            if form is not None and not form.fullmatch(address):
                raise Invalid.at(f"/{name}/{place}", f"{address!r} {words}")
    if kind is ActionType.SMS and len(changes.get("recipients", ())) > 1:
        raise Invalid.at("/recipients", "an SMS goes to one person (rule 34)")


@router.post("/actions/{action}/complete", operation_id="complete_action")
def complete(action: Key, member: Member, unit: Work, body: Completion | None = None) -> Action:
    """Complete an action of mine. A message then leaves by itself, from my address (rule 30)."""
    done = body or Completion()
    row = completing.complete(unit, member, action, done.note, seen_balance=done.seen_balance)
    if row.status == ActionStatus.TO_DO:
        refuse_what_cannot_leave(unit, row, member)
    return action_details.whole(unit, row, member)


@router.post("/actions/{action}/answer", operation_id="answer_action")
def answer(action: Key, body: Answer, member: Member, unit: Work) -> Action:
    """Say what became of a message of mine of which nobody knows whether it left (`needs_review`).
    `it_was_sent`: the action is done. `send_again`: it leaves once more, in the words of today.
    `give_up`: the action is skipped."""
    seen = body.seen_balance
    row = answers.answer(unit, member, action, body.answer, body.note, seen_balance=seen)
    if body.answer == "send_again":
        refuse_what_cannot_leave(unit, row, member)
    return action_details.whole(unit, row, member)


@router.post("/actions/{action}/skip", operation_id="skip_action")
def skip(action: Key, body: Skip, member: Member, unit: Work) -> Action:
    """Skip an action of mine; it does not count as a contact (rule 32)."""
    row = completing.skip(unit, member, action, body.reason)
    return action_details.whole(unit, row, member)


@router.post("/actions/{action}/reassign", operation_id="reassign_action", status_code=204)
def reassign(action: Key, body: HandOver, member: Member, unit: Work) -> None:
    """Hand an action of mine to another member. From then on only they see it."""
    to = member_or_404(unit, body.to)
    actions.reassign(unit, member, action, to)


@router.post("/actions/{action}/assign", operation_id="assign_action", status_code=204)
def assign(action: Key, body: HandOver, admin: Admin, unit: Work) -> None:
    """Give an open action that nobody owns to a member, who alone sees it from then on. 404 for any
    other action (rule 29). For admins."""
    actions.assign(unit, admin, action, member_or_404(unit, body.to))
