"""Reports of billing through the API, and what they changed."""

from __future__ import annotations

from typing import Any

from stand_ins.office import Office


def result(office: Office, method: str, path: str, body: Any = None) -> tuple[str, list[str]]:
    """Send a report; returns its result and the nudges that it caused."""
    return office.billing.does(method, path, body)["result"], office.nudges()


def balance(office: Office) -> tuple[str, str]:
    invoice = office.billing.get("/invoices/INV-1")
    return invoice["balance"], invoice["status"]
