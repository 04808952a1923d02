"""Collects what a message needs: facts, sender (rules 30, 33), texts and recipients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from backoffice.delivery.addressees import addressees
from backoffice.delivery.links import PREVIEW
from backoffice.people.owners import owner_for
from backoffice.worklist.edits import plans_words_serve, words
from backoffice.worklist.steps import step_of
from dunning.model import Invoice
from dunning.plan import ActionType, Step
from messages.content import MessageFacts, Names, message_facts
from messages.draft import Addressee, Draft
from messages.wording import text_for
from store import tables as t
from store.errors import DunningError
from store.load import Loaded
from store.unit import Unit


class NotVerified(DunningError):
    """The sender's domain is not one that the organisation has verified at its provider."""

    status = 422
    title = "Sender not verified"
    slug = "sender-not-verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What is to be drafted: the message of ``step`` about an invoice, on ``channel``.

    ``edits``: the recipients that the owner wrote; ``written``: the subject and body. Anything else
    is the plan's, or built in if ``plans_words`` is False. ``link``: the short link of an SMS.
    """

    step: Step | None
    channel: ActionType
    invoice_id: str
    sender: t.Member | None
    edits: Mapping[str, Any] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    plans_words: bool = True
    link: str = ""


def draft(
    unit: Unit,
    loaded: Loaded,
    action: t.Action,
    completed_by: t.Member | None = None,
    *,
    link: str = "",
) -> Draft:
    """The message of an action at the unit's time. A manual action's sender is the member who
    completes it, else the owner that the plan asks for. The owner's edits (rule 28) replace the
    plan's texts and recipients. ``link``: the short link of an SMS; without it, if the unit has a
    ``public_url``, a preview link of the same length."""
    step = step_of(unit, loaded, action)
    planned, channel = ActionType(action.type), ActionType(action.executed_type or action.type)
    wanted = _Wanted(
        step=step,
        channel=channel,
        invoice_id=str(action.invoice_id),
        sender=completed_by or _sender(unit, loaded, action, step),
        edits=action.edits,
        written=words(action.edits, planned, channel),
        plans_words=plans_words_serve(planned, channel),
        link=link,
    )
    return _draft(unit, loaded, wanted)


def draft_of_step(unit: Unit, loaded: Loaded, step: Step, invoice_id: str) -> Draft:
    """A preview: the message of a step about an invoice, as it would be sent at the unit's time."""
    sender = owner_for(unit, loaded.customer, step.owner)
    wanted = _Wanted(step=step, channel=step.type, invoice_id=invoice_id, sender=sender)
    return _draft(unit, loaded, wanted)


def _draft(unit: Unit, loaded: Loaded, wanted: _Wanted) -> Draft:
    step, sender, written = wanted.step, wanted.sender, wanted.written
    reached = addressees(unit, loaded, step, wanted.channel, wanted.edits)
    facts = _facts(unit, loaded, wanted, reached.to)
    text = None
    if step is not None and wanted.plans_words:
        text = text_for(step, facts.language, facts.organisation_language)
    edited = "body" in written
    return Draft(
        channel=wanted.channel,
        facts=facts,
        subject=written.get("subject", text.subject if text else ""),
        body=written.get("body", text.body if text else ""),
        addressees=reached.distinct,
        flagged=tuple(reached.flagged),
        sender_address=sender.email if sender else "",
        sender_name=sender.name if sender else "",
        registered=bool(step and step.registered),
        html=text.html if text and not edited else "",
        language=text.language if text and not edited else "",
        open_tracking=loaded.organisation.open_tracking,
    )


def _facts(unit: Unit, loaded: Loaded, wanted: _Wanted, to: list[Addressee]) -> MessageFacts:
    """The facts, in the language of the first recipient who is a contact, else the customer's."""
    invoice = next(i for i in loaded.account.invoices if i.id == wanted.invoice_id)
    names = _names(loaded, wanted.sender, to)
    today = loaded.account.calendar.today(unit.now)
    country = loaded.organisation.late_payment_country
    facts = message_facts(loaded.account, invoice, today, names, country)
    link = wanted.link or _preview_link(unit, wanted.channel, invoice)
    return replace(facts, invoice=replace(facts.invoice, url=link)) if link else facts


def _names(loaded: Loaded, sender: t.Member | None, to: list[Addressee]) -> Names:
    customer, organisation = loaded.customer, loaded.organisation
    main_id = to[0].contact_id if to else None
    first = next((c.row for key, c in loaded.contacts.items() if str(key) == main_id), None)
    return Names(
        organisation=organisation.name,
        customer=customer.name,
        customer_external_id=customer.external_id,
        contact=first.name if first else "",
        sender=sender.name if sender else "",
        sender_email=sender.email if sender else "",
        language=(first.language if first else "") or customer.language,
        organisation_language=organisation.language,
        country=customer.country,
    )


def _preview_link(unit: Unit, channel: ActionType, invoice: Invoice) -> str:
    if not unit.public_url or channel is not ActionType.SMS or not invoice.url:
        return ""
    return f"{unit.public_url}/l/{PREVIEW}"


def check_sender(organisation: t.Organisation, drafted: Draft) -> None:
    """Raises NotVerified for an email whose sender the provider would refuse (rules 30 and 33). If
    an organisation names no domains, its provider checks instead."""
    domains = organisation.sender_domains
    domain = drafted.sender_address.rpartition("@")[2].lower()
    if drafted.channel is not ActionType.EMAIL or not domains or domain in domains:
        return
    raise NotVerified(
        f"{drafted.sender_address or 'a sender without an address'} is not of a verified sender "
        f"domain ({', '.join(domains)}): hand the action to a member who is, or have the domain "
        "verified and added to the organisation's sender domains"
    )


def _sender(unit: Unit, loaded: Loaded, action: t.Action, step: Step | None) -> t.Member | None:
    if not action.automatic and action.owner_id is not None:
        return unit.session.get(t.Member, action.owner_id)
    return owner_for(unit, loaded.customer, step.owner if step else "assigned")
