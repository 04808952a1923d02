"""Who can be reached by a step (rules 33 to 35)."""

from __future__ import annotations

from datetime import date

from dunning.model import Account, Action, Contact
from dunning.plan import Step


def meant(step: Step, account: Account) -> list[Contact]:
    """Rule 34: the contacts that a step is meant for, reachable or not; an SMS: the main one."""
    chosen: dict[str, Contact] = {}
    for selector in step.recipients:
        for contact in account.contacts:
            if selects(selector, contact):
                chosen[contact.id] = contact
    return [chosen[key] for key in sorted(chosen)]


def selects(selector: str, contact: Contact) -> bool:
    if selector == "main":
        return contact.main
    if selector == "others":
        return not contact.main
    kind, _, name = selector.partition(":")
    return kind == "position" and contact.position.casefold() == name.strip().casefold()


def reachable(step: Step, account: Account) -> list[Contact]:
    """Rule 35: those of them with a usable address for the step's channel. CC alone is none."""
    return [c for c in meant(step, account) if c.reachable(step.type)]


def only_internal(step: Step) -> bool:
    """A step written to members and fixed addresses alone needs no contact."""
    return all(s.startswith("member:") or "@" in s for s in step.recipients)


def can_reach(step: Step, account: Account) -> bool:
    return bool(reachable(step, account)) or only_internal(step)


def corrected_on(step: Step, account: Account) -> date | None:
    """The day on which the step's recipients became usable again, None if never corrected."""
    days = [c.fixed_on for c in reachable(step, account) if c.fixed_on is not None]
    return max(days, default=None)


def corrected(step: Step, account: Account, bounced: Action | None) -> bool:
    """Rule 35: whether a step that its owner got for want of an address goes out by itself again.

    After a bounce (rule 37) only a contact that was corrected since then will do.
    """
    if bounced is None:
        return can_reach(step, account)
    fixed, sent = corrected_on(step, account), bounced.executed_on or bounced.ended_on
    return fixed is not None and (sent is None or fixed >= sent)
