"""What is shown of texts before anything is sent: whether a plan's make sense, and how a draft
reads. As functions of plain data, so that a process of its own can do it (messages/rendering.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dunning.plan import CHANNELS, ActionType, Plan, PlanError
from messages.check import check_texts
from messages.compose import compose
from messages.draft import Draft
from messages.message import BadMessage
from messages.render import render, values
from messages.sms import segments
from messages.template import TemplateError


@dataclass(slots=True)
class Shown:
    """``recipients``: role, address and name of each. ``variables``: those that the texts name.
    ``segments``: of an SMS. ``problem``: why it could not be sent as it stands."""

    subject: str = ""
    text: str = ""
    html: str | None = None
    recipients: list[tuple[str, str, str]] = field(default_factory=list)
    segments: int | None = None
    variables: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def checked(plan: Plan) -> tuple[str, str] | None:
    """The step whose text is refused, and why."""
    try:
        check_texts(plan)
    except PlanError as error:
        return error.step, error.reason
    return None


def shown(drafts: Sequence[Draft], organisation_id: str) -> list[Shown]:
    """Each as it would be sent."""
    return [_shown(draft, organisation_id) for draft in drafts]


def _shown(draft: Draft, organisation_id: str) -> Shown:
    made = Shown(recipients=[(a.role, a.address, a.name) for a in draft.addressees])
    try:
        words = render(
            draft.subject, draft.body, draft.facts, draft.channel, draft.html, draft.language
        )
        made.subject, made.text, made.html = words.subject, words.text, words.html
        made.variables = values(draft.subject, draft.body, draft.facts, draft.html, draft.language)
        if draft.channel in CHANNELS:
            sent = compose(draft, "preview", organisation_id)
            made.subject, made.text, made.html = sent.subject, sent.text, sent.html
            made.recipients = [(r.role.value, r.address, r.name) for r in sent.recipients]
        if draft.channel is ActionType.SMS:
            made.segments = segments(made.text).segments
    except (BadMessage, TemplateError) as error:
        made.problem = str(error)
    return made
