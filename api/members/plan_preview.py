"""A plan's messages for a real customer, as they would be sent today; nothing is sent or stored."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from api.http.fields import Body, Key
from api.http.rules import RuleLink, cited
from api.members.message_details import Recipient
from api.members.plan_schema import PLAN
from backoffice.delivery import drafts
from backoffice.ledger.find import find_customer
from dunning.carrying import carrying_invoice, order
from dunning.languages import language_tag, lookup
from dunning.model import Invoice, InvoiceStatus
from dunning.plan import ActionType, Plan, Step
from messages.draft import Draft
from messages.preview import MessagePreview, previews
from messages.processes import LimitedProcesses, TakesTooLong
from messages.render import built_in_language
from messages.texts import DEFAULT_TEXTS
from messages.wording import Chosen, StepText, missing_languages, text_for
from store.errors import Conflict, Invalid
from store.load import Loaded, load
from store.unit import Unit


class PreviewAsked(Body):
    customer: Key = Field(description="Your id of the customer, or ours.")
    step: Key | None = Field(None, description="Key of one step; without it: all of them.")
    plan: Annotated[dict[str, Any] | None, WithJsonSchema({"anyOf": [PLAN, {"type": "null"}]})] = (
        Field(None, description="A plan that is not saved, to preview instead of the saved one.")
    )


class StepPreview(BaseModel):
    step: str
    name: str
    type: ActionType
    language: str | None = Field(description="Of the texts; null: the step's own, in no language.")
    chosen: Chosen = Field(
        description="`exact`: the customer's language. `base`: a shorter form of it. "
        "`organisation`: the organisation's language. `default`: the step's own texts. "
        "`built_in`: the text of its type."
    )
    missing_translations: list[str] = Field(
        description="Languages of other steps, and the customer's, that this step has no text in."
    )
    sender_name: str
    sender_address: str
    recipients: list[Recipient]
    flagged_contacts: list[str] = Field(description="Meant, but without a valid address (rule 35).")
    subject: str
    text: str
    html: str | None
    segments: int | None = Field(None, description="Of an SMS: for how many of them it is paid.")
    variables: dict[str, str] = Field(description="Those that the texts name, as they are printed.")
    problem: str = Field(description="Why it could not be sent as it stands; empty when it could.")
    rules: list[RuleLink] = Field(description="The rules that `problem` cites.")


class PreviewInvoice(BaseModel):
    external_id: str
    number: str
    carrying: bool = Field(description="False: nothing carries today, and this is the oldest.")


class Preview(BaseModel):
    customer: str
    invoice: PreviewInvoice
    steps: list[StepPreview]


def preview(
    unit: Unit,
    processes: LimitedProcesses,
    plan: Plan,
    customer: str,
    step: Step | None,
) -> Preview:
    """Raises NotFound for the customer, Conflict when it has no open invoice, Invalid for texts
    that take too long."""
    row = find_customer(unit, customer)
    loaded = load(unit, row.id, lock=False)
    carrying = carrying_invoice(loaded.account, loaded.account.calendar.today(unit.now))
    invoice = carrying or _oldest(loaded)
    if invoice is None:
        raise Conflict("this customer has no open invoice to preview with")
    stored = next(i for i in loaded.invoices.values() if str(i.id) == invoice.id)
    steps = [step] if step else plan.steps
    drafts_ = [drafts.draft_of_step(unit, loaded, each, invoice.id) for each in steps]
    try:
        made = processes.run(previews, drafts_, str(loaded.organisation.id))
    except TakesTooLong:
        reason = "these texts take too long to render; ask for one step, or make them shorter"
        raise Invalid.at("/step", reason) from None
    return Preview(
        customer=row.external_id,
        invoice=PreviewInvoice(
            external_id=stored.external_id, number=stored.number, carrying=carrying is not None
        ),
        steps=[_step(plan, *each) for each in zip(steps, drafts_, made, strict=True)],
    )


def _oldest(loaded: Loaded) -> Invoice | None:
    """Rule 2, of all that are open: paused, disputed or promised ones too."""
    opened = [i for i in loaded.account.invoices if i.status is InvoiceStatus.OPEN]
    return min(opened, key=order, default=None)


def _step(plan: Plan, step: Step, draft: Draft, made: MessagePreview) -> StepPreview:
    texts = text_for(step, draft.facts.language, draft.facts.organisation_language)
    built_in = texts.chosen is Chosen.BUILT_IN
    return StepPreview(
        step=step.key,
        name=step.name,
        type=step.type,
        language=built_in_language(draft.facts) if built_in else texts.language or None,
        chosen=texts.chosen,
        missing_translations=_missing(plan, step, texts, draft),
        sender_name=draft.sender_name,
        sender_address=draft.sender_address,
        recipients=[_recipient(*each) for each in made.recipients],
        flagged_contacts=list(draft.flagged),
        subject=made.subject,
        text=made.text,
        html=made.html,
        segments=made.segments,
        variables=made.variables,
        problem=made.problem,
        rules=cited(made.problem),
    )


def _missing(plan: Plan, step: Step, texts: StepText, draft: Draft) -> list[str]:
    missing = set(missing_languages(plan, step))
    wanted = language_tag(draft.facts.language)
    base = lookup(wanted)[-1:]
    if texts.chosen is Chosen.BUILT_IN:
        found = base == () or base[0] in DEFAULT_TEXTS
    else:
        # The step's own texts are taken to be in the organisation's language.
        own = lookup(draft.facts.organisation_language)[-1:]
        found = texts.chosen in (Chosen.EXACT, Chosen.BASE) or base in ((), own)
    return sorted(missing if found else missing | {wanted})


def _recipient(role: str, address: str, name: str) -> Recipient:
    roles: dict[str, Literal["to", "cc", "bcc"]] = {"to": "to", "cc": "cc", "bcc": "bcc"}
    return Recipient(role=roles[role], address=address, name=name)
