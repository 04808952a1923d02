"""Texts that the API shows to a client."""

from __future__ import annotations

from typing import Any

from stand_ins.office import Caller


def without_id(problem: dict[str, Any], key: str) -> str:
    return str(problem).replace(key, "ID")


def texts(who: Caller, path: str) -> list[str]:
    return [e["text"] for e in who.get(path)["items"]]
