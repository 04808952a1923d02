"""Callbacks that are stored and then processed as the worker does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from activities.callbacks import Callbacks
from backoffice.delivery import callbacks as inbox
from dunning.learnt import CameIn, Reply, Report
from dunning.plan import ActionType
from providers.callback import Callback
from stand_ins.town import Provider, Town
from store import tables as t
from store.engine import transaction

US = Provider.name


def reader(found: Sequence[Report | Reply] | Exception) -> Any:
    def read(callback: Callback, now: Any) -> list[Report | Reply]:
        if isinstance(found, Exception):
            raise found
        return list(found)

    return read


def take_in(
    town: Town,
    found: Sequence[Report | Reply] | Exception | Any,
    provider: str = US,
    kind: ActionType = ActionType.EMAIL,
    unheard_of: bool = False,
) -> Any:
    with transaction(town.engine) as session:
        inbox.store(session, CameIn(provider=provider), "https://we.example/x", {}, b"\x00\xff raw")
    read = found if callable(found) else reader(found)
    readers = {} if unheard_of else {provider: (kind, read)}
    Callbacks(town.engine, "", readers).take_batch()
    row = max(town.rows_of(t.Callback), key=lambda row: row.id)
    assert row.body == b"\x00\xff raw"
    return row
