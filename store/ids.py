"""Which row an id in an address means: by its form it is ours or an external one.

Decision 0009.
"""

from __future__ import annotations

from typing import Any

from dunning.ids import our_id


def named(table: Any, key: str) -> Any:
    """The condition for a customer, invoice or credit with this id: ours where it has that form,
    else its external one."""
    ours = our_id(key)
    return table.external_id == key if ours is None else table.id == ours
