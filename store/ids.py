"""An id in a URL is ours or an external one, by its form. Decision 0009."""

from __future__ import annotations

from typing import Any

from dunning.ids import our_id


def named(table: Any, key: str) -> Any:
    """The condition for the customer, invoice or credit with this id: by our id if it has the form
    of one, else by the external id."""
    ours = our_id(key)
    return table.external_id == key if ours is None else table.id == ours
