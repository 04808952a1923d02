"""The recipients of a message (rules 34 and 35)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import select

from addresses.kinds import EMAIL, PHONE, POSTAL
from backoffice.ledger.closures import KIND_OF
from dunning.plan import ActionType, Step
from dunning.recipients import selects
from dunning.spellings import lower_case
from messages.draft import Addressee
from store import tables as t
from store.contacts import Person
from store.load import Loaded
from store.unit import Unit

#: The field of a contact that each type uses.
ADDRESS = {
    ActionType.EMAIL: EMAIL,
    ActionType.SMS: PHONE,
    ActionType.CALL: PHONE,
    ActionType.LETTER: POSTAL,
    ActionType.TASK: EMAIL,
}


@dataclass(frozen=True, slots=True)
class Addressees:
    """``to``: the recipients; ``copies``: CC and BCC. ``flagged``: contacts that are left out
    because they have no usable address (rule 35)."""

    to: list[Addressee]
    copies: list[Addressee]
    flagged: list[str]

    @property
    def distinct(self) -> tuple[Addressee, ...]:
        """Each address once, because providers refuse duplicates."""
        seen: set[str] = set()
        kept = []
        for addressee in (*self.to, *self.copies):
            if lower_case(addressee.address) not in seen:
                seen.add(lower_case(addressee.address))
                kept.append(addressee)
        return tuple(kept)


def addressees(
    unit: Unit,
    loaded: Loaded,
    step: Step | None,
    channel: ActionType,
    edits: Mapping[str, Any],
) -> Addressees:
    """The step's recipients (rules 34 and 35), or those that the owner wrote instead."""
    selectors = step.recipients if step else ("main",)
    if channel is ActionType.TASK:
        selectors = ()  # an internal text is for its owner, never for the customer (rule 34)
    to, flagged = _contacts(loaded, selectors, "to", channel)
    cc: list[Addressee] = []
    if channel is ActionType.EMAIL:
        for role, copied in (("cc", step.cc), ("bcc", step.bcc)) if step else ():
            cc += _contacts(loaded, copied, role, channel)[0]
            cc += _internal(unit, loaded, copied, role)
        to += _internal(unit, loaded, selectors, "to")
    if "recipients" in edits:
        to = [Addressee("to", a) for a in edits["recipients"]]
    if "cc" in edits:
        cc = [a for a in cc if a.role != "cc"] + [Addressee("cc", a) for a in edits["cc"]]
    if "bcc" in edits:
        cc = [a for a in cc if a.role != "bcc"] + [Addressee("bcc", a) for a in edits["bcc"]]
    return Addressees(to, cc, flagged)


def _contacts(
    loaded: Loaded, selectors: tuple[str, ...], role: str, channel: ActionType
) -> tuple[list[Addressee], list[str]]:
    kind = ADDRESS[channel]
    found: list[Addressee] = []
    flagged: list[str] = []
    by_id = {str(contact_id): person for contact_id, person in loaded.contacts.items()}
    for selector in selectors:
        for contact in sorted(loaded.account.contacts, key=lambda c: (not c.main, c.id)):
            if not selects(selector, contact):
                continue
            person, name = by_id[contact.id], by_id[contact.id].row.name
            value = person.value(kind)
            closed = loaded.closures.closed(kind, value) if channel in KIND_OF else ""
            if not value or person.invalid(kind) or closed:
                flagged.append(person.who)
            elif kind == POSTAL:
                text = "\n".join(postal_lines(person))
                found.append(Addressee(role, text, name, contact.id, dict(value)))
            else:
                found.append(Addressee(role, value, name, contact.id))
    return found, flagged


def postal_lines(person: Person) -> list[str]:
    """The contact's postal address as on an envelope, the name first."""
    parts = person.value(POSTAL)
    town = " ".join(str(parts[k]) for k in ("postal_code", "city") if parts.get(k))
    street = [person.row.name, parts.get("line1"), parts.get("line2")]
    lines = [*street, town, parts.get("region"), parts.get("country")]
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
