"""The organisation: its calendar, money, language and default plan."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from api.http.auth import Admin, Member
from api.http.bodies import BodyRoute
from api.http.fields import (
    Body,
    Currency,
    Day,
    Line,
    MaybeLanguage,
    MoneyOut,
    Name,
    NotNegative,
    TimeOfDay,
    money,
)
from api.http.work import Work
from backoffice.people.organisation import change
from dunning.ids import OrganisationId
from store import tables as t
from store.calendars import calendar_of
from store.unit import Unit

router = APIRouter(route_class=BodyRoute, tags=["organisation"])

_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])")


def _domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise ValueError("is not a domain such as example.com")
    return value


Domain = Annotated[
    Line,
    Field(min_length=3, examples=["example.com"]),
    BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
    AfterValidator(_domain),
]
Flag = Annotated[bool, Field(strict=True)]


class Organisation(BaseModel):
    id: OrganisationId
    name: str
    timezone: str
    sending_time: str = Field(examples=["08:30"])
    cut_off: str = Field(examples=["17:00"])
    working_days: str
    holidays: str
    days_off: list[str]
    currency: str
    language: str
    tolerance: MoneyOut
    spread_minutes: int
    reply_hold_days: int
    open_tracking: bool
    sender_domains: list[str]
    late_payment_country: str
    default_plan: str | None
    rehearsal: bool = Field(description="Its clock is moved by hand, its messages never leave.")
    local_time: str = Field(examples=["2025-03-04T08:30:00+01:00"])


class OrganisationEdit(Body):
    """What is absent stays as it is."""

    name: Name = "-"
    timezone: Line = Field("", examples=["Europe/Paris"])
    sending_time: TimeOfDay = Field(
        "08:30", description="Local time (rule 20).", validate_default=True
    )
    cut_off: TimeOfDay = Field(
        "17:00", description="Of what a failure delayed (rule 21).", validate_default=True
    )
    working_days: Line = Field("", examples=["mon-fri"])
    holidays: Line = Field("", description='A country or a part of it; "" = none.', examples=["FR"])
    days_off: Annotated[list[Day], Field(max_length=1000)] = Field([])
    currency: Currency = "EUR"
    language: MaybeLanguage = Field("en", min_length=2)
    tolerance: NotNegative = Field(
        "0", description="A balance up to this is as good as paid (rule 3).", validate_default=True
    )
    spread_minutes: Annotated[int, Field(strict=True, ge=0, le=480)] = 0
    reply_hold_days: Annotated[int, Field(strict=True, ge=0, le=30)] = Field(
        2, description="Automatic steps wait so long after a customer's reply."
    )
    open_tracking: Flag = Field(
        False, description="A pixel in emails; in some countries it needs consent."
    )
    sender_domains: Annotated[list[Domain], Field(max_length=50)] = Field(
        [], description="Verified at the email provider; empty: not checked before sending."
    )
    late_payment_country: Line = Field(
        "",
        description='Whose interest for late payment messages may show; "" = none.',
        examples=["FR"],
    )
    default_plan: Name = "-"


@router.get("/organisation", operation_id="get_organisation")
def get(member: Member, unit: Work) -> Organisation:
    """Settings of the organisation, and its own time."""
    return _out(unit, unit.organisation)


@router.patch("/organisation", operation_id="edit_organisation")
def edit(body: OrganisationEdit, admin: Admin, unit: Work) -> Organisation:
    """Change settings. Every sequence decides anew."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    if "days_off" in changes:
        changes["days_off"] = sorted({day.isoformat() for day in changes["days_off"]})
    if "sender_domains" in changes:
        changes["sender_domains"] = list(dict.fromkeys(changes["sender_domains"]))
    return _out(unit, change(unit, changes))


def _out(unit: Unit, row: t.Organisation) -> Organisation:
    plan = unit.session.get(t.Plan, row.default_plan_id) if row.default_plan_id else None
    local = unit.now.astimezone(calendar_of(row).zone)
    return Organisation(
        **row.model_dump(exclude={"tolerance", "sending_time", "cut_off", "default_plan_id"}),
        sending_time=f"{row.sending_time:%H:%M}",
        cut_off=f"{row.cut_off:%H:%M}",
        tolerance=money(row.tolerance, row.currency),
        default_plan=plan.name if plan else None,
        rehearsal=row.rehearsal_now is not None,
        local_time=local.isoformat(timespec="seconds"),
    )
