"""The address for customers' replies: it contains the delivery id."""

from __future__ import annotations

import re

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_REPLY_ADDRESS = re.compile(rf"(?<![\w.+-])reply\+({UUID})@", re.IGNORECASE)


def reply_address(delivery_id: str, domain: str) -> str:
    """The address for replies to this delivery. ``reference_in`` reads the delivery id from it."""
    return f"reply+{delivery_id}@{domain}"


def reference_in(address: str) -> str:
    """The delivery id in the first reply address of a header or a bare address; empty if none."""
    found = _REPLY_ADDRESS.search(address)
    return found[1].lower() if found else ""
