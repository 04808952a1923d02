"""Who can be reached by a step (rules 33 to 35)."""

from __future__ import annotations

from datetime import datetime

from dunning.calendar import Calendar
from dunning.model import Account, Action, ActionStatus, Contact
from dunning.plan import Step


def meant(step: Step, account: Account) -> list[Contact]:
    """Rule 34: the contacts that a step addresses, reachable or not; an SMS: only the main one."""
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
    """Rule 35: those of them that have a usable address for the step's channel."""
    return [c for c in meant(step, account) if c.reachable(step.type)]


def only_internal(step: Step) -> bool:
    """Whether a step addresses only members and fixed addresses, so that it needs no contact."""
    return all(s.startswith("member:") or "@" in s for s in step.recipients)


def can_reach(step: Step, account: Account) -> bool:
    return bool(reachable(step, account)) or only_internal(step)


def corrected_at(step: Step, account: Account, action: Action) -> datetime | None:
    """Rule 35: when the address that an action lacked was first corrected since its owner got the
    action, or since the bounced message was sent. Later corrections, and those of other addresses,
    do not count. None: there was no correction."""
    since = _since(action, account.calendar)
    times = (
        at
        for contact in reachable(step, account)
        for at in contact.fixed_for(step.type)
        if since is None or at >= since
    )
    return min(times, default=None)


def _since(action: Action, calendar: Calendar) -> datetime | None:
    if action.status is not ActionStatus.FAILED:
        return action.shown_at
    sent = action.executed_on or action.ended_on
    return calendar.start_of(sent) if sent is not None else None


def corrected(step: Step, account: Account, bounced: Action | None) -> bool:
    """Rule 35: whether a step that its owner got for lack of an address is automatic again.

    After a bounce (rule 37) the address must have been corrected since then.
    """
    if bounced is None:
        return can_reach(step, account)
    return corrected_at(step, account, bounced) is not None
