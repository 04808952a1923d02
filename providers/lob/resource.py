"""Reading Lob's JSON: every field may be missing or of another type."""

from __future__ import annotations

import json
from typing import Any

from messages.lines import one_line

#: Where Lob keeps our delivery id: in the metadata of a letter.
DELIVERY_ID = "dunning_delivery_id"


def json_object(body: bytes) -> dict[str, Any]:
    """The object in the body; empty for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def text_of(found: Any, key: str, limit: int = 200) -> str:
    """The text of a field, cut to ``limit`` characters; empty for anything else."""
    value = found.get(key) if isinstance(found, dict) else None
    return one_line(value, limit) if isinstance(value, str) else ""


def delivery_id_of(letter: Any) -> str:
    return text_of(letter.get("metadata") if isinstance(letter, dict) else None, DELIVERY_ID)
