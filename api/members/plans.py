"""Plans: read, checked and saved, as JSON or as the TOML of ``dunning plan load``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field

from api.http.auth import Admin, Member
from api.http.bodies import BodyRoute, json_of, toml_of
from api.http.database import OneText
from api.http.fields import Key
from api.http.work import Work
from api.members import plan_preview
from api.members.plan_preview import Preview, PreviewAsked
from api.members.plan_schema import PLAN_BODY
from backoffice.ledger.reports import Change
from backoffice.people import plans
from dunning.plan import Plan as DunningPlan
from dunning.plan import PlanError
from messages.check import refusal
from messages.processes import LimitedProcesses, TakesTooLong
from plans.read import plan_data
from store import tables as t
from store.account import plan_of
from store.errors import Invalid, NotFound

router = APIRouter(route_class=BodyRoute, tags=["plans"])


class PlanShort(BaseModel):
    name: str
    version: int
    default: bool = Field(description="Drives every customer without a plan of its own.")
    steps: int
    saved_at: datetime


class Plan(PlanShort):
    definition: dict[str, Any] = Field(description="As it can be saved again.")


class Plans(BaseModel):
    items: list[PlanShort]


class Saved(BaseModel):
    result: Change
    name: str
    version: int


class Checked(BaseModel):
    """The plan makes sense; this is how it was understood, with every default filled in."""

    definition: dict[str, Any]


async def _definition(request: Request) -> Mapping[str, Any]:
    """The body as data, whichever of the two forms it has."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        data = await json_of(await request.body())
    elif kind in ("application/toml", "text/toml", "text/x-toml"):
        data = await toml_of(await request.body())
    else:
        raise HTTPException(415, "send a plan as application/json or application/toml")
    if not isinstance(data, dict):
        raise Invalid.at("", "a plan is an object with a name and steps")
    return data


Definition = Annotated[Mapping[str, Any], Depends(_definition)]


@router.get("/plans", operation_id="list_plans")
def list_all(member: Member, unit: Work) -> Plans:
    """All plans in their current versions, by name."""
    organisation = unit.organisation
    found = plans.list_plans(unit)
    return Plans(items=[PlanShort(**_data(row, v, organisation)) for row, v in found])


@router.get("/plans/{name}", operation_id="get_plan")
def get(name: Key, member: Member, unit: Work) -> Plan:
    """One plan in its current version."""
    organisation = unit.organisation
    row, version = plans.plan_or_404(unit, name)
    return Plan(**_data(row, version, organisation), definition=version.definition)


@router.put(
    "/plans/{name}",
    operation_id="put_plan",
    openapi_extra=PLAN_BODY,
    responses={201: {"model": Saved, "description": "Created"}},
)
def put(
    name: Key, definition: Definition, one: OneText, admin: Admin, unit: Work, response: Response
) -> Saved:
    """Save a plan. Every change is a new version (rule 43); the same again changes nothing."""
    if definition.get("name", name) != name:
        raise Invalid.at("/name", f"is not {name!r}, the name in the address")
    data = {**definition, "name": name}
    version, result = plans.put_plan(unit, data, _check(one), admin.id)
    if result == Change.CREATED:
        response.status_code = 201
    return Saved(result=Change(result), name=name, version=version.version)


@router.post("/plans/check", operation_id="check_plan", openapi_extra=PLAN_BODY)
def check_plan(definition: Definition, one: OneText, member: Member, unit: Work) -> Checked:
    """Whether a plan makes sense; nothing is saved. 422 names the step and the reason."""
    plan = plans.check_plan(unit, definition, _check(one))
    return Checked(definition=plan_data(plan))


@router.post("/plans/{name}/preview", operation_id="preview_plan")
def preview(name: Key, asked: PreviewAsked, one: OneText, member: Member, unit: Work) -> Preview:
    """The steps of a plan for one customer, each exactly as it would be sent today. Nothing is sent
    or stored. A step that cannot be rendered says so, and the others are shown."""
    if asked.plan is None:
        plan = plan_of(plans.plan_or_404(unit, name)[1])
    else:
        if asked.plan.get("name", name) != name:
            raise Invalid.at("/plan/name", f"is not {name!r}, the name in the address")
        data = {**asked.plan, "name": name}
        # A text that is refused is the problem of its step: see the preview.
        plan = plans.check_plan(unit, data, lambda _: None)
    step = plan.find(asked.step)
    if asked.step is not None and step is None:
        raise NotFound(f"the plan has no step {asked.step!r}; it has {', '.join(plan.keys)[:500]}")
    return plan_preview.preview(unit, one, plan, asked.customer, step)


def _check(one: LimitedProcesses) -> plans.CheckTexts:
    """``check_texts`` of a plan in a process that can be ended."""

    def check(plan: DunningPlan) -> None:
        try:
            wrong = one.run(refusal, plan)
        except TakesTooLong:
            raise PlanError("", "its texts take too long to check; make them shorter") from None
        if wrong is not None:
            raise PlanError(*wrong)

    return check


def _data(row: t.Plan, version: t.PlanVersion, organisation: t.Organisation) -> dict[str, Any]:
    return {
        "name": row.name,
        "version": version.version,
        "default": organisation.default_plan_id == row.id,
        "steps": len(version.definition["steps"]),
        "saved_at": version.created_at,
    }
