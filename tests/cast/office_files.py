"""Files that are reported by billing, attached by members, and sent."""

from __future__ import annotations

from typing import Any

from httpx import Response

from activities.sending import Sending
from backoffice.delivery.outgoing import Outgoing
from dunning.plan import ActionType
from messages.message import Message
from providers.port import Accepted, Result
from stand_ins.office import Caller, Office
from workflows.contracts import SendInput

PDF = b"%PDF-1.7 INV-1\r\n\x00\xff%%EOF\r\n"
PNG = b"\x89PNG\r\n\x1a\n a picture"
OF_A_PDF = {"Content-Type": "application/pdf"}


def put_pdf(office: Office, content: bytes = PDF, invoice: str = "INV-1", **params: Any) -> Any:
    answer = office.billing(
        "PUT", f"/invoices/{invoice}/pdf", content=content, headers=OF_A_PDF, params=params
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def attach(
    who: Caller, path: str, name: str, content: bytes, kind: str = "application/pdf"
) -> Response:
    return who("POST", f"{path}/attachments", files={"file": (name, content, kind)})


def attached(who: Caller, path: str, name: str, content: bytes = PDF) -> Any:
    answer = attach(who, path, name, content)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(files: list[dict[str, Any]]) -> list[str]:
    return [file["name"] for file in files]


class KeepsMessages:
    """An email provider that keeps the messages sent to it."""

    name = account = "keeps"
    signers = ()
    type = ActionType.EMAIL
    idempotent = False

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, message: Message) -> Result:
        self.messages.append(message)
        return Accepted("1")


def sent(office: Office) -> Message:
    provider = KeepsMessages()
    channels = {ActionType.EMAIL: provider}
    sending = Sending(office.engine, Outgoing(channels, channels, lambda: office.now))
    customer = office.ben.get("/customers/C-1")["id"]
    sending.send_email(SendInput(str(office.id), customer, office.now, "email"))
    (message,) = provider.messages
    return message
