"""To whom a message goes (rules 34 and 35)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import select

from dunning.plan import ActionType, Step
from dunning.recipients import selects
from dunning.spellings import lower_case
from messages.draft import Addressee
from store import tables as t
from store.closures import KIND_OF
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


@dataclass(frozen=True, slots=True)
class Addressees:
    """``to``: its recipients; ``copies``: CC and BCC. ``flagged``: the contacts that are
    left out, because their address cannot be used (rule 35)."""

    to: list[Addressee]
    copies: list[Addressee]
    flagged: list[str]

    @property
    def distinct(self) -> tuple[Addressee, ...]:
        """Each address once: providers refuse a second one."""
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
    """Those of the step (rules 34 and 35), or in their place those that its owner wrote."""
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
    return Addressees(to, cc, flagged)


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
    street = [row.name, parts.get("line1"), parts.get("line2")]
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
