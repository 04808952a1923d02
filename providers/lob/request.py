"""A message as the form of Lob's POST /v1/letters."""

from __future__ import annotations

import textwrap
from dataclasses import asdict

from messages.message import Message, Postal, Recipient, Role
from messages.postal import as_posted, why_not
from providers.lob.account import MAX_NAME, LobAccount
from providers.lob.resource import DELIVERY_ID
from providers.port import Rejected


def fields(message: Message, account: LobAccount) -> dict[str, str]:
    """The form of POST /letters without its file, for a message with one recipient."""
    to = message.recipients[0]
    assert to.postal
    names = textwrap.wrap(to.name, MAX_NAME)
    form = {
        **_address("to", names[0], to.postal),
        **_address("from", account.sender_name.strip(), account.sender),
        "color": str(account.color).lower(),
        "use_type": "operational",
        "mail_type": account.mail_type,
        "address_placement": "top_first_page",
        "double_sided": "true",
        f"metadata[{DELIVERY_ID}]": message.delivery_id,
        "metadata[dunning_organisation_id]": message.organisation_id,
    }
    if len(names) > 1:  # the second line of the window
        form["to[company]"] = names[1]
    if message.registered:
        home = form["to[address_country]"] == "US"
        form["extra_service"] = "certified" if home else "registered"
        form["mail_type"] = "usps_first_class"  # the only one that can be certified
    return form


def _address(part: str, name: str, postal: Postal) -> dict[str, str]:
    posted = as_posted(asdict(postal))
    lines = {
        "name": name,
        "address_line1": posted["line1"],
        "address_line2": posted["line2"],
        "address_city": posted["city"],
        "address_state": posted["region"],
        "address_zip": posted["postal_code"],
        "address_country": posted["country"],
    }
    return {f"{part}[{key}]": value for key, value in lines.items() if value}


def cannot_carry(message: Message) -> Rejected | None:
    if len(message.recipients) != 1 or message.recipients[0].role is not Role.TO:
        many = f"a letter has one recipient; this one has {len(message.recipients)}"
        return Rejected(f"{many} (a copy is a letter of its own)", "recipients", asked=False)
    if message.attachments:
        return Rejected("a letter through Lob carries no attachments", "attachments", asked=False)
    missing = _missing(message.recipients[0])
    if missing:
        reason = f"the recipient's postal address cannot be used: {missing}"
        return Rejected(reason, "address", recipient_invalid=True, asked=False)
    return None


def _missing(to: Recipient) -> str:
    if to.postal is None:
        return "it is not known in its parts"
    if reason := why_not(asdict(to.postal)):
        return reason
    if not to.name.strip():
        return "it has no name"
    lines = len(textwrap.wrap(to.name, MAX_NAME))
    return f"its name takes {lines} lines of {MAX_NAME} characters" if lines > 2 else ""
