"""An email that Ben has edited, and facts that withdraw it."""

from __future__ import annotations

from typing import Any

from stand_ins.office import Caller, Office
from tests.cast.bens_actions import bens_letter
from tests.cast.office_files import attached, names

#: Part of every text that Ben writes; no other member may read it anywhere.
OWN = "zebra"
EDITS = {
    "recipients": [f"{OWN}@acme.example"],
    "cc": [f"{OWN}-cc@acme.example"],
    "bcc": [f"{OWN}-bcc@acme.example"],
    "subject": f"{OWN} {{{{ invoice.number }}}}",
    "body": f"Dear {OWN}, {{{{ invoice.balance }}}}.",
    "note": f"the CFO is a {OWN}",
}


def bens_draft(office: Office) -> str:
    """Ben has an email to write; he edited every field and attached a file."""
    path = bens_letter(office)
    office.ben.does("PATCH", path, EDITS)
    attached(office.ben, path, f"{OWN}.pdf")
    return path


def everything(who: Caller, path: str) -> str:
    """All that a member can read about the customer and one of its actions."""
    asked = (
        path,
        "/customers/C-1/timeline",
        "/invoices/INV-1/timeline",
        "/customers/C-1/next",
        "/customers/C-1",
        "/invoices/INV-1",
        "/customers/C-1/replies",
        "/outbox",
    )
    ended = [{"scope": "all", "status": status} for status in ("withdrawn", "skipped")]
    lists: list[dict[str, Any]] = [{}, {"scope": "all"}, *ended]
    seen = [who.get(one) for one in asked] + [who.get("/actions", **one) for one in lists]
    return str(seen)


def dispute(office: Office) -> None:
    office.cleo.does("POST", "/invoices/INV-1/dispute", {"reason": "let me see"})
    office.review()


def settle(office: Office) -> None:
    office.cleo.does("POST", "/invoices/INV-1/settle")
    office.review()


def bens_open(office: Office) -> dict[str, Any]:
    (action,) = office.ben.get("/actions")["items"]
    return dict(office.ben.get(f"/actions/{action['id']}"))


def own_of(action: dict[str, Any]) -> dict[str, Any]:
    """The fields of an action that its owner can change."""
    parts = ("planned_type", "type", "note", "texts", "message")
    return {part: action[part] for part in parts} | {"files": names(action["attachments"])}
