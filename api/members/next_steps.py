"""What happens next to a customer, when, and why: the rules that decide, with their numbers."""

from __future__ import annotations

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http.auth import Member
from api.http.bodies import BodyRoute
from api.http.fields import Key
from api.http.rules import RuleLink, link_to
from api.http.work import Work
from api.members.held import HeldAccount, as_told
from backoffice.ledger.find import find_customer
from backoffice.people import held_shown
from backoffice.people.owners import owner_for
from backoffice.worklist.lists import find
from backoffice.worklist.sequences import summarise
from backoffice.worklist.steps import step_in
from dunning.decide import as_others_know, decide
from dunning.decision import Decision, Kind, Reason
from dunning.ids import ActionId, InvoiceId
from dunning.plan import ActionType
from providers.registry import title
from store import tables as t
from store.errors import NotFound
from store.load import Loaded, load
from store.unit import Unit

router = APIRouter(route_class=BodyRoute, tags=["customers"])


class When(BaseModel):
    local: str = Field(
        description="In the organisation's time zone.", examples=["2025-03-04T08:30:00+01:00"]
    )
    utc: datetime


class NextStep(BaseModel):
    key: str
    name: str
    type: ActionType
    automatic: bool
    place: int = Field(description="Of the step in the plan, from 1.")
    of: int


class Carrying(BaseModel):
    id: InvoiceId
    external_id: str
    number: str


class Why(RuleLink):
    text: str


class Next(BaseModel):
    state: Kind = Field(
        description="`wait`: until `at`. `send`, `assign`: at this moment. `await_owner`: for its "
        "owner. `rest`: nothing leaves by itself until a new fact."
    )
    summary: str
    invoice: Carrying | None = Field(description="The carrying invoice.")
    step: NextStep | None
    due: When | None = Field(description="When the step is due.")
    at: When | None = Field(description="When the sequence looks again, at the latest.")
    action_id: ActionId | None = Field(description="The open action, if it is yours.")
    why: list[Why]
    held: HeldAccount | None = Field(
        None,
        description="The account that this step would leave by, while its provider refuses it: the "
        "message leaves by itself once it works, on a later day where the cut-off has passed.",
    )


@router.get("/customers/{customer}/next", operation_id="get_next")
def get(customer: Key, member: Member, unit: Work) -> Next:
    """Decided at this moment on what is known; nothing is changed by asking. What a person has to
    do is told to its owner alone, before its day as after (rule 29); others are told of what leaves
    by itself."""
    row = find_customer(unit, customer)
    loaded = load(unit, row.id, lock=False)
    decision = decide(loaded.account, unit.now)
    if not _may_see(unit, loaded, decision, member):
        decision = as_others_know(loaded.account, unit.now)
    zone = loaded.account.calendar.zone
    held = _held(unit, decision, member)
    summary = summarise(loaded, decision)
    return Next(
        state=decision.kind,
        summary=f"{summary} · {held.text}" if held else summary,
        invoice=_carrying(loaded, decision),
        step=_step(loaded, decision),
        due=_when(decision.due, zone),
        at=_when(decision.at, zone),
        action_id=ActionId(uuid.UUID(decision.action_id)) if decision.action_id else None,
        why=_why(decision.reasons),
        held=held,
    )


def _held(unit: Unit, decision: Decision, member: t.Member) -> HeldAccount | None:
    """Of the channel that is next, where its account is refused."""
    if decision.then is None or decision.look_up:
        return None
    for shown in held_shown.of_organisation(unit, member, title):
        if shown.row.channel == decision.then.value:
            return as_told(shown)
    return None


def _may_see(unit: Unit, loaded: Loaded, decision: Decision, member: t.Member) -> bool:
    """Only the owner sees an open manual action, and one that is still to be made: if others saw
    its step until that day, they would know afterwards that it is open."""
    step = step_in(loaded, decision.step_key)
    later = decision.kind is Kind.WAIT and step is not None and not step.automatic
    if decision.kind is Kind.ASSIGN or (later and decision.action_id is None):
        owner = owner_for(unit, loaded.customer, step.owner if step else "assigned")
        return owner.id == member.id if owner else member.role == "admin"
    if decision.action_id is None:
        return True
    try:
        find(unit, member, decision.action_id)
    except NotFound:
        return False
    return True


def _carrying(loaded: Loaded, decision: Decision) -> Carrying | None:
    row = loaded.find_invoice(decision.invoice_id)
    return Carrying(id=row.id, external_id=row.external_id, number=row.number) if row else None


def _step(loaded: Loaded, decision: Decision) -> NextStep | None:
    step, plan = step_in(loaded, decision.step_key), loaded.account.plan
    if step is None or plan is None:
        return None
    return NextStep(
        key=step.key,
        name=step.name,
        type=step.type,
        automatic=step.automatic,
        place=plan.keys.index(step.key) + 1,
        of=len(plan.steps),
    )


def _when(at: datetime | None, zone: ZoneInfo) -> When | None:
    return When(local=at.astimezone(zone).isoformat(), utc=at) if at is not None else None


def _why(reasons: tuple[Reason, ...]) -> list[Why]:
    return [Why(rule=r.rule, link=link_to(r.rule), text=r.text) for r in reasons]
