"""A draft put into words: the message exactly as it would be sent."""

from __future__ import annotations

from channels.port import MAX_NAME, Message, Recipient, Role, one_line
from channels.render import render
from dunning.draft import Draft


def compose(draft: Draft, delivery_id: str, organisation_id: str) -> Message:
    """Raises TemplateError for texts that cannot be put into words, BadMessage for a message that
    cannot be sent."""
    words = render(draft.subject, draft.body, draft.facts, draft.channel)
    return Message(
        delivery_id=delivery_id,
        organisation_id=organisation_id,
        channel=draft.channel,
        recipients=tuple(
            Recipient(Role(a.role), a.address, one_line(a.name, MAX_NAME), a.contact_id)
            for a in draft.addressees
        ),
        text=words.text,
        subject=words.subject,
        html=words.html,
        sender_address=draft.sender_address,
        sender_name=one_line(draft.sender_name, MAX_NAME),
        reply_to=draft.sender_address,
        registered=draft.registered,
    )
