"""Renders a draft: the message exactly as it is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dunning.plan import ActionType
from messages.draft import Addressee, Draft
from messages.email_address import check_email
from messages.lines import one_line
from messages.message import MAX_NAME, Attachment, BadAddress, Message, Postal, Recipient, Role
from messages.phone import mobile
from messages.postal import PARTS
from messages.postal import why_not as why_not_posted
from messages.render import render


def compose(
    draft: Draft,
    delivery_id: str,
    organisation_id: str,
    attachments: tuple[Attachment, ...] = (),
) -> Message:
    """Raises TemplateError for texts that cannot be rendered, BadAddress for a recipient whom the
    channel cannot reach, BadMessage for a message that cannot be sent.

    A letter has one recipient: the first of the draft.
    """
    words = render(
        draft.subject, draft.body, draft.facts, draft.channel, draft.html, draft.language
    )
    addressees = draft.addressees
    if draft.channel is ActionType.LETTER:
        addressees = tuple(a for a in addressees if a.role == "to")[:1]
    return Message(
        delivery_id=delivery_id,
        organisation_id=organisation_id,
        channel=draft.channel,
        recipients=tuple(_recipient(a, draft.channel, draft.facts.country) for a in addressees),
        text=words.text,
        body=words.body if draft.channel is ActionType.LETTER else (),
        subject=words.subject,
        html=words.html,
        sender_address=draft.sender_address,
        sender_name=one_line(
            draft.facts.organisation_name
            if draft.channel is ActionType.LETTER
            else draft.sender_name,
            MAX_NAME,
        ),
        reply_to=draft.sender_address,
        attachments=attachments,
        open_tracking=draft.open_tracking,
        registered=draft.registered,
    )


def _recipient(addressee: Addressee, channel: ActionType, country: str) -> Recipient:
    """The address in the channel's form: a number in E.164, a postal address in its parts. Raises
    BadAddress with the contact's id."""
    address, postal = addressee.address, None
    try:
        if channel is ActionType.SMS:
            address = mobile(address, country)
        elif channel is ActionType.EMAIL:
            check_email(address)
        elif channel is ActionType.LETTER:
            postal = _postal(addressee, country)
    except BadAddress as error:
        raise BadAddress(error.address, error.reason, addressee.contact_id) from None
    name = one_line(addressee.name, MAX_NAME)
    return Recipient(Role(addressee.role), address, name, addressee.contact_id, postal)


def _postal(addressee: Addressee, country: str) -> Postal:
    """Lines that an owner wrote by hand: the first is the name, the last one the town."""
    parts: Mapping[str, str] = addressee.postal or {}
    if not parts:
        lines = [line.strip() for line in addressee.address.splitlines() if line.strip()][1:]
        parts = {"line1": lines[0] if lines else ""}
        if len(lines) > 1:
            parts = {**parts, "line2": ", ".join(lines[1:-1]), **_town(lines[-1])}
    found = {name: str(parts.get(name) or "").strip() for name in PARTS}
    found["country"] = found["country"] or country
    reason = why_not_posted(found)
    if reason:
        raise BadAddress(addressee.address, reason)
    return Postal(**found)


def _town(line: str) -> dict[str, str]:
    """The last line of an address written by hand: "75011 Paris", or "Troy, NY 12180"."""
    for form in (_POSTCODE_FIRST, _ZIP_LAST):
        if match := form.fullmatch(line):
            return match.groupdict()
    return {"city": line}


_POSTCODE_FIRST = re.compile(r"(?:[A-Z]{1,2}-)?(?P<postal_code>[0-9]{3} ?[0-9]{1,3}) +(?P<city>.+)")
_ZIP_LAST = re.compile(
    r"(?P<city>.+?),? +(?P<region>[A-Za-z]{2}) +(?P<postal_code>[0-9]{5}(?:-[0-9]{4})?)"
)
