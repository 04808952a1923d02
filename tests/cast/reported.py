"""What a report changed."""

from __future__ import annotations

from typing import Any

from stand_ins.office import Office


def result(office: Office, method: str, path: str, body: Any = None) -> tuple[str, list[str]]:
    """The result that billing is told, and the nudges of it."""
    return office.billing.does(method, path, body)["result"], office.nudges()


def balance(office: Office) -> tuple[str, str]:
    invoice = office.billing.get("/invoices/INV-1")
    return invoice["balance"], invoice["status"]
