"""The form of a plan: each field with its type, its limits, its default and its meaning.

It is stated only here. The parser (``plans.read``), the schema of the API and the tables of
docs/plans.md are made from it. Which fields of a step fit together: ``plans.fits``.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from dunning.languages import language_tag
from dunning.plan import ActionType, FirstAction
from plans.fields import (
    MAX_DAYS,
    Absent,
    EmptyForNone,
    InOneLine,
    Name,
    Owner,
    Required,
    Selectors,
    StepKey,
    Storable,
    ZeroForNone,
    short,
)

MAX_STEPS = 100
MAX_LANGUAGES = 50  # of one step
_TRIGGERS = "write {from = 'due', days = 8}, {from = 'issue', days = 10} or {date = '2025-06-01'}"
NO_TRIGGER = f"has no trigger; {_TRIGGERS}"
_SELECTORS = "`main`, `others`, `position:NAME`, `member:ADDRESS` or an address"
_BUILT_IN = Absent("the built-in text of its type")


class Form(BaseModel):
    """Strict: "8" is no number and 1 is not true. A field that is not listed is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _iso_date(value: Any) -> datetime.date:
    if type(value) is datetime.date:  # TOML has dates; a datetime is a date, too
        return value
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            raise ValueError
        return datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"trigger date {short(value)} is not a date; {_TRIGGERS}") from None


def _due_or_issue(value: Any) -> Any:
    if value not in ("due", "issue"):
        raise ValueError(f"trigger from {short(value)} is not 'due' or 'issue'; {_TRIGGERS}")
    return value


class TriggerForm(Form):
    """Days from the due or the issue date (negative = before), or a fixed date."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"from": "due", "days": 8}]})

    base: Annotated[Literal["due", "issue"] | None, BeforeValidator(_due_or_issue)] = Field(
        None, alias="from"
    )
    days: Annotated[int, Field(ge=-MAX_DAYS, le=MAX_DAYS), ZeroForNone] = 0
    date: Annotated[datetime.date | None, BeforeValidator(_iso_date)] = None

    @model_validator(mode="before")
    @classmethod
    def _one_of_the_forms(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            raise ValueError(NO_TRIGGER)
        if set(raw) != {"date"} and ("from" not in raw or not set(raw) <= {"from", "days"}):
            raise ValueError(f"trigger {short(dict(raw))} is not understood; {_TRIGGERS}")
        return raw

    @model_validator(mode="after")
    def _not_before_the_invoice(self) -> TriggerForm:
        if self.base == "issue" and self.days < 0:
            raise ValueError("falls before the issue date, when the invoice is not known yet")
        return self


Subject = Annotated[
    str,
    Field(max_length=1000, description="a template of one line"),
    EmptyForNone,
    Storable,
    InOneLine,
]
Body = Annotated[
    str,
    Field(max_length=50_000, description="a template; of a call or a task, the script"),
    EmptyForNone,
    Storable,
]
Html = Annotated[
    str,
    Field(max_length=50_000, description="a template of an email's HTML part; needs `body`"),
    EmptyForNone,
    Storable,
    Absent("made from `body`"),
]


def _written(text: Any) -> bool:
    return bool(text.strip()) if isinstance(text, str) else text is not None


class TranslationForm(Form):
    subject: Annotated[Subject, Absent("the step's")] = ""
    body: Annotated[Body, Required]
    html: Html = ""

    @model_validator(mode="before")
    @classmethod
    def _html_beside_a_body(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and _written(raw.get("html")) and not _written(raw.get("body")):
            raise ValueError("has html without a body; the text part is needed too")
        return raw


def _by_language(raw: Any) -> Any:
    """The table of translations, if each of its keys is a language and none occurs twice."""
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise ValueError(f"texts is not a table of languages: {str(raw)[:80]!r}")
    if len(raw) > MAX_LANGUAGES:
        raise ValueError(f"has texts in {len(raw)} languages; at most {MAX_LANGUAGES}")
    seen = set()
    for name in raw:
        language = language_tag(name) if isinstance(name, str) else ""
        if not language:
            reason = f"{str(name)[:40]!r} is not a language such as 'fr' or 'pt-BR'"
            raise ValueError(f"texts: {reason}")
        if language in seen:
            raise ValueError(f"texts.{name}: the language {language} is given twice")
        seen.add(language)
    return raw


class StepForm(Form):
    key: StepKey = Field(
        description="unique in the plan: letters, digits, `_`, `-`, `.`, at most 64, "
        "the first a letter or digit",
    )
    name: Annotated[Name, Absent("the key")] = Field("", description="what people read")
    type: ActionType = Field(strict=False)
    automatic: bool = Field(
        False, description="is sent without a person; only an email, SMS or letter can be"
    )
    trigger: TriggerForm = Field(
        description="when it falls due: so many days from the due or the issue date (negative = "
        "before), or a fixed date"
    )
    contact_delay_days: Annotated[int | None, Absent("the plan's")] = Field(
        None, ge=0, le=MAX_DAYS, description="its own contact delay"
    )
    repeat_every_days: Annotated[int | None, Absent("never")] = Field(
        None,
        ge=1,
        le=MAX_DAYS,
        description="occurs again so many days after it was last completed or skipped (rule 25)",
    )
    repeat_limit: Annotated[int | None, Absent("no limit")] = Field(
        None,
        ge=0,
        le=MAX_DAYS,
        description="at most so many repetitions after the first occurrence; "
        "needs `repeat_every_days`",
    )
    owner: Owner = Field(
        "assigned",
        description="who completes it, or in whose name it is sent (rule 33): `assigned`, "
        "`group:NAME`, `group:NAME:assigned`, or a member's address or name",
    )
    recipients: Selectors = Field(
        ["main"], description=f"a list of selectors (rule 34): {_SELECTORS}"
    )
    cc: Annotated[Selectors, Absent("none")] = Field(
        [], description="a list of selectors; emails only"
    )
    bcc: Annotated[Selectors, Absent("none")] = Field(
        [], description="a list of selectors; emails only"
    )
    registered: bool = Field(False, description="of a letter")
    attach_invoices: bool = Field(
        False,
        description="of an email: attach the PDFs of the listed invoices, as far as billing has "
        "uploaded them, 20 MB in total",
    )
    subject: Annotated[Subject, _BUILT_IN] = ""
    body: Annotated[Body, _BUILT_IN] = ""
    html: Html = ""
    texts: Annotated[dict[str, TranslationForm], BeforeValidator(_by_language), Absent("none")] = (
        Field(
            {},
            description="`subject`, `body` and `html` in another language",
            json_schema_extra={
                "maxProperties": MAX_LANGUAGES,
                "examples": [
                    {"fr": {"subject": "Facture {{ invoice.number }}", "body": "Bonjour …"}}
                ],
            },
        )
    )


def _some_steps(raw: Any) -> Any:
    if not isinstance(raw, list) or not raw:
        raise ValueError("has no steps; add at least one [[steps]]")
    if len(raw) > MAX_STEPS:
        raise ValueError(f"has {len(raw)} steps; at most {MAX_STEPS} are allowed")
    return raw


class PlanForm(Form):
    name: Annotated[str, Required, Storable, InOneLine] = Field(
        max_length=100, description="`PUT /v1/plans/{name}` may leave it out"
    )
    first_action: FirstAction = Field(
        FirstAction.STANDARD,
        strict=False,
        description="the step at which an invoice enters. Standard: the first step; of an overdue "
        "invoice the first that is not pre-due (rule 11). Contextualized: the step with the latest "
        "date that is not after today (rule 12)",
    )
    contact_delay_days: Annotated[int, ZeroForNone] = Field(
        0, ge=0, le=MAX_DAYS, description="the least number of days between two executed actions"
    )
    tasks_count: bool = Field(True, description="whether an executed task is a contact (rule 18)")
    steps: Annotated[list[StepForm], BeforeValidator(_some_steps)] = Field(
        description="the steps, in the order in which they follow one another",
        json_schema_extra={"minItems": 1, "maxItems": MAX_STEPS},
    )
