"""Ids: ours are UUIDs, a billing system's own ids (external ids) are any other text.

So every id says by its form whose it is, and nothing that is reported can hide behind an id of
ours. Docs: decision 0009.
"""

from __future__ import annotations

import uuid

#: What is put before an id that has the form of ours, to make an external id of it. Ids that were
#: known before the form was refused have it, too (migration 0016).
PREFIX = "external:"
#: Why such an id is refused; without the id.
OURS = f"has the form of our ids, a UUID; put {PREFIX!r} before it"
_HEX_DIGITS = 32


def our_id(text: str) -> uuid.UUID | None:
    """The id, if the text has the form of one of ours, in whatever way Python reads a UUID: with
    braces, as a URN, without hyphens, in capitals. None: it is an external id."""
    if len(text) < _HEX_DIGITS:
        return None  # most are short, and a book has many
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def external_id(text: str) -> str:
    """The text, if it may be an external id. Raises ValueError for one in the form of our ids."""
    if our_id(text) is not None:
        raise ValueError(OURS)
    return text
