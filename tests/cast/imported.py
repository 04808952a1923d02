"""Imports of a book through the API."""

from __future__ import annotations

from typing import Any

from stand_ins.office import Office

CSV = {"Content-Type": "text/csv"}


def taken(office: Office, content: bytes | str, **params: Any) -> dict[str, Any]:
    answer = office.billing("POST", "/imports", content=content, headers=CSV, params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refused(office: Office, content: bytes | str) -> list[tuple[str, str]]:
    told = office.billing.fails(422, "POST", "/imports", content=content, headers=CSV)
    return [(e["where"], e["reason"]) for e in told["errors"]]
