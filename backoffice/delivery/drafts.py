"""Collects what a message needs: its facts, its sender (rules 30, 33) and recipients (34, 35)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlmodel import select

from backoffice.delivery.links import PREVIEW
from backoffice.people.owners import owner_for
from backoffice.worklist.edits import plans_words_serve, words
from backoffice.worklist.steps import step_of
from dunning.plan import ActionType, Step
from dunning.recipients import selects
from dunning.spellings import lower_case
from messages.content import Names, message_facts
from messages.draft import Addressee, Draft
from messages.wording import text_for
from store import tables as t
from store.closures import KIND_OF
from store.errors import DunningError
from store.load import Loaded
from store.unit import Unit

#: Where each type reaches a contact.
ADDRESS = {
    ActionType.EMAIL: "email",
    ActionType.SMS: "phone",
    ActionType.CALL: "phone",
    ActionType.LETTER: "postal",
    ActionType.TASK: "email",
}


class NotVerified(DunningError):
    """The sender's domain is none that the organisation has verified at its provider."""

    status = 422
    title = "Sender not verified"
    slug = "sender-not-verified"


def draft(
    unit: Unit,
    loaded: Loaded,
    action: t.Action,
    completed_by: t.Member | None = None,
    *,
    link: str = "",
) -> Draft:
    """The message of an action at the organisation's time ``at``. For a manual one the sender is
    the member who completes it, else the owner the plan asks for. What its owner edited (rule 28)
    wins over the plan's texts and recipients. ``link``: the short one, for an SMS; without it that
    of a preview, as long, where the unit has a ``public_url``."""
    step = step_of(unit, loaded, action)
    sender = completed_by or _sender(unit, loaded, action, step)
    channel = ActionType(action.executed_type or action.type)
    planned = ActionType(action.type)
    written = words(action.edits, planned, channel)
    theirs = step is not None and plans_words_serve(planned, channel)
    return _draft(
        unit, loaded, step, channel, str(action.invoice_id), sender, action.edits, link,
        written, plans_words=theirs,
    )  # fmt: skip


def draft_of_step(unit: Unit, loaded: Loaded, step: Step, invoice_id: str, link: str = "") -> Draft:
    """The message of a step about an invoice, as it would be sent at ``at`` (a preview)."""
    sender = owner_for(unit, loaded.customer, step.owner)
    return _draft(unit, loaded, step, step.type, invoice_id, sender, {}, link, {})


def _draft(
    unit: Unit,
    loaded: Loaded,
    step: Step | None,
    channel: ActionType,
    invoice_id: str,
    sender: t.Member | None,
    edits: Mapping[str, Any],
    link: str,
    written: Mapping[str, str],
    *,
    plans_words: bool = True,
) -> Draft:
    """``written``: subject and body in place of the step's; without ``plans_words`` the built-in
    ones stand where nothing is written."""
    customer, organisation = loaded.customer, loaded.organisation
    to, cc, flagged = _addressees(unit, loaded, step, channel, edits)
    main_id = to[0].contact_id if to else None
    first = next((c for c in loaded.contacts.values() if str(c.id) == main_id), None)
    invoice = next(i for i in loaded.account.invoices if i.id == invoice_id)
    names = Names(
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
    today = loaded.account.calendar.today(unit.now)
    facts = message_facts(loaded.account, invoice, today, names, organisation.late_payment_country)
    if not link and unit.public_url and channel is ActionType.SMS and invoice.url:
        link = f"{unit.public_url}/l/{PREVIEW}"
    if link:
        facts = replace(facts, invoice=replace(facts.invoice, url=link))
    text = None
    if step is not None and plans_words:
        text = text_for(step, names.language, names.organisation_language)
    edited = "body" in written
    return Draft(
        channel=channel,
        facts=facts,
        subject=written.get("subject", text.subject if text else ""),
        body=written.get("body", text.body if text else ""),
        addressees=tuple(_distinct([*to, *cc])),
        flagged=tuple(flagged),
        sender_address=sender.email if sender else "",
        sender_name=sender.name if sender else "",
        registered=bool(step and step.registered),
        html=text.html if text and not edited else "",
        language=text.language if text and not edited else "",
        open_tracking=organisation.open_tracking,
    )


def _addressees(
    unit: Unit,
    loaded: Loaded,
    step: Step | None,
    channel: ActionType,
    edits: Mapping[str, Any],
) -> tuple[list[Addressee], list[Addressee], list[str]]:
    """To whom, copies to whom, and which contacts are left out (rules 34 and 35)."""
    meant = step.recipients if step else ("main",)
    if channel is ActionType.TASK:
        meant = ()  # it goes to its owner, never to the customer (rule 34)
    to, flagged = _contacts(loaded, meant, "to", channel)
    cc: list[Addressee] = []
    if channel is ActionType.EMAIL:
        for role, selectors in (("cc", step.cc), ("bcc", step.bcc)) if step else ():
            cc += _contacts(loaded, selectors, role, channel)[0]
            cc += _internal(unit, loaded, selectors, role)
        to += _internal(unit, loaded, meant, "to")
    if "recipients" in edits:
        to = [Addressee("to", a) for a in edits["recipients"]]
    if "cc" in edits:
        cc = [a for a in cc if a.role != "cc"] + [Addressee("cc", a) for a in edits["cc"]]
    if "bcc" in edits:
        cc = [a for a in cc if a.role != "bcc"] + [Addressee("bcc", a) for a in edits["bcc"]]
    return to, cc, flagged


def check_sender(organisation: t.Organisation, drafted: Draft) -> None:
    """Raises NotVerified for an email whose sender the provider would refuse (rules 30 and 33). An
    organisation that names no domains leaves the check to its provider."""
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


def _contacts(
    loaded: Loaded, selectors: tuple[str, ...], role: str, channel: ActionType
) -> tuple[list[Addressee], list[str]]:
    address = ADDRESS[channel]
    found: list[Addressee] = []
    flagged: list[str] = []
    by_id: dict[str, Any] = {str(c.id): c for c in loaded.contacts.values()}
    for selector in selectors:
        for contact in sorted(loaded.account.contacts, key=lambda c: (not c.main, c.id)):
            if not selects(selector, contact):
                continue
            row: t.Contact = by_id[contact.id]
            value = getattr(row, address)
            closed = loaded.closures.closed(row, address) if channel in KIND_OF else ""
            if not value or getattr(row, f"{address}_invalid") or closed:
                flagged.append(row.name or row.external_id)
                continue
            if isinstance(value, str):
                found.append(Addressee(role, value, row.name, contact.id))
            else:
                text = "\n".join(postal_lines(row))
                found.append(Addressee(role, text, row.name, contact.id, dict(value)))
    return found, flagged


def postal_lines(row: t.Contact) -> list[str]:
    """The postal address of a contact as it stands on an envelope, the name first."""
    parts = row.postal
    town = " ".join(str(parts[k]) for k in ("postal_code", "city") if parts.get(k))
    lines = [row.name, parts.get("line1"), parts.get("line2"), town, parts.get("region"),
             parts.get("country")]  # fmt: skip
    return [str(line) for line in lines if line]


def _internal(unit: Unit, loaded: Loaded, selectors: tuple[str, ...], role: str) -> list[Addressee]:
    """Members (rule 34) and fixed addresses."""
    found: list[Addressee] = []
    for selector in selectors:
        kind, _, name = selector.partition(":")
        if kind == "member":
            member = unit.session.exec(
                select(t.Member).where(
                    t.Member.organisation_id == loaded.organisation.id,
                    t.Member.email == name.strip(),
                )
            ).one_or_none()
            if member is not None and member.active:
                found.append(Addressee(role, member.email, member.name))
        elif "@" in selector:
            found.append(Addressee(role, selector))
    return found


def _distinct(addressees: list[Addressee]) -> list[Addressee]:
    """The same address once: providers refuse it twice, and nobody wants it twice."""
    seen: set[str] = set()
    kept = []
    for addressee in addressees:
        if lower_case(addressee.address) not in seen:
            seen.add(lower_case(addressee.address))
            kept.append(addressee)
    return kept


def delivery_id(action: t.Action) -> uuid.UUID:
    """The stable key of an action's one send: made here and nowhere else."""
    return uuid.uuid5(action.id, "delivery")
