"""Previews: drafts rendered as messages, before anything is sent.

Functions of plain data, so that another process can run them (messages/processes.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dunning.plan import CHANNELS, ActionType
from messages.compose import compose
from messages.draft import Draft
from messages.message import BadMessage
from messages.render import render, values
from messages.sms import segments
from messages.template import TemplateError


@dataclass(slots=True)
class MessagePreview:
    """``recipients``: role, address and name of each. ``variables``: those that the texts use.
    ``segments``: of an SMS. ``problem``: why it could not be sent as it is."""

    subject: str = ""
    text: str = ""
    html: str | None = None
    recipients: list[tuple[str, str, str]] = field(default_factory=list)
    segments: int | None = None
    variables: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def previews(drafts: Sequence[Draft], organisation_id: str) -> list[MessagePreview]:
    """Each draft as it would be sent."""
    return [_preview(draft, organisation_id) for draft in drafts]


def _preview(draft: Draft, organisation_id: str) -> MessagePreview:
    made = MessagePreview(recipients=[(a.role, a.address, a.name) for a in draft.addressees])
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
