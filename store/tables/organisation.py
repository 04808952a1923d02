"""The organisation whose customers are reminded."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from dunning.ids import OrganisationId, PlanId
from store.tables.columns import created, instant, json_column, uuid_key


class Organisation(SQLModel, table=True):
    """The creditor. ``rehearsal_now``: where the clock of a rehearsal stands (UTC); None = the real
    clock."""

    id: OrganisationId = uuid_key()
    name: str
    timezone: str = "Europe/Paris"
    sending_time: time = time(8, 30)
    cut_off: time = time(17, 0)
    working_days: str = "mon-fri"
    holidays: str = ""  # a country, or country-subdivision: "FR", "DE-BY"; empty = none
    days_off: list[str] = json_column(list)  # its own extra days, ISO dates
    currency: str = "EUR"
    language: str = "en"
    tolerance: Decimal = Field(default=Decimal(0), sa_type=sa.Numeric(20, 4))
    spread_minutes: int = 0
    reply_hold_days: int = 2  # automatic steps wait this long after a customer's reply
    open_tracking: bool = False  # a pixel in emails needs consent in some countries
    # Verified at the provider; empty = not checked here.
    sender_domains: list[str] = json_column(list)
    late_payment_country: str = ""  # whose statutory interest messages may show; empty = off
    default_plan_id: PlanId | None = Field(
        default=None,
        sa_column=sa.Column(sa.Uuid, sa.ForeignKey("plan.id", use_alter=True), nullable=True),
    )
    rehearsal_now: datetime | None = instant()
    created_at: datetime = created()
