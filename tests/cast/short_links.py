"""An SMS with a short link, and its status."""

from __future__ import annotations

from sqlmodel import col, select

from activities.outbox_channels import outbox_channels
from activities.sending import Sending
from backoffice.delivery.outgoing import Outgoing
from stand_ins.office import Office, acme_body, invoice_body
from store import tables as t
from store.engine import transaction
from tests.cast.signed_callbacks import PUBLIC
from workflows.contracts import SendInput

URL = "https://pay.amber.example/2025-001?a=1&b=%C3%A9#top"


def sms(office: Office) -> str:
    """Send Acme an SMS with a link to its invoice; returns the path of the action."""
    office.ada.does(
        "PUT",
        "/plans/Standard",
        {
            "name": "Standard",
            "steps": [
                {
                    "key": "sms",
                    "name": "A short one",
                    "type": "sms",
                    "automatic": True,
                    "trigger": {"from": "due", "days": 1},
                    "body": "See {{ invoice.url }}",
                },
            ],
        },
    )
    contact = {"external_id": "eve", "name": "Eve", "phone": "+33 6 12 34 56 78"}
    office.billing.does("PUT", "/customers/C-1", acme_body() | {"contacts": [contact]})
    office.billing.does("PUT", "/invoices/INV-1", invoice_body(url=URL))
    office.at("2025-03-04 08:30")
    assert office.review() == "send"
    channels = outbox_channels(office.engine, None)
    sending = Sending(
        office.engine,
        Outgoing(channels, channels, lambda: office.now, public_url=PUBLIC),
    )
    customer = office.ben.get("/customers/C-1")["id"]
    sending.send_sms(SendInput(str(office.id), customer, office.now, "sms"))
    (action,) = office.ben.get("/actions", scope="all", automatic=True)["items"]
    return f"/actions/{action['id']}"


def link_in(office: Office, path: str) -> str:
    text: str = office.ben.get(path)["message"]["text"]
    return text.removeprefix(f"See {PUBLIC}")


def fate(office: Office, path: str) -> tuple[str, str | None]:
    (recipient,) = office.ben.get(path)["delivery"]["recipients"]
    return recipient["status"], recipient["clicked_at"]


def opened(office: Office) -> list[str]:
    with transaction(office.engine) as session:
        rows = session.exec(
            select(t.TimelineEntry)
            .where(t.TimelineEntry.organisation_id == office.id)
            .where(col(t.TimelineEntry.kind).startswith("message_"))
        )
        return [row.kind for row in rows]
