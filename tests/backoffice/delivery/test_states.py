"""The status of a delivery is written by one function, and CHECK constraints agree with it."""

from __future__ import annotations

import ast
import itertools
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from backoffice.delivery.states import move
from dunning.delivery_status import (
    CLAIMED,
    SETTLED,
    TRANSITIONS,
    WITH_DEADLINE,
    DeliveryStatus,
    WrongTransition,
)
from stand_ins.town import Town
from store import tables as t
from store.engine import transaction
from tests.rooms import PACKAGES, ROOT, modules

NOW = datetime(2025, 3, 4, 9, tzinfo=UTC)
THE_WRITER = ROOT / "backoffice" / "delivery" / "states.py"
#: Rows of other tables that have a status: how the code of this room calls them.
_OTHERS = {"action", "case.action"}
#: Found in the source of a module that may use deliveries.
_KNOWS = re.compile(r"\bt\.Delivery\b|^from backoffice\.delivery\b", re.MULTILINE)
_SQL = re.compile(
    r"UPDATE\s+delivery\s+SET[^;]*\bstatus\s*=|INSERT\s+INTO\s+delivery\b", re.IGNORECASE
)


def product() -> Iterator[Path]:
    for path in modules(*sorted(PACKAGES)):
        if path != THE_WRITER and path.parent.name != "versions":
            yield path


def writes_of_a_status(source: str) -> list[tuple[int, str]]:
    """Each assignment of a status to something that may be a delivery: its line and its target."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            if node.attr == "status":
                found.append((node.lineno, ast.unparse(node.value)))
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            named = called == "setattr" and ast.unparse(node.args[1]) == "'status'"
            made = called == "t.Delivery" and any(k.arg == "status" for k in node.keywords)
            if named or made:
                found.append((node.lineno, ast.unparse(node.args[0]) if named else called))
    return sorted(one for one in found if one[1] not in _OTHERS)


def test_only_one_module_writes_the_status_of_a_delivery() -> None:
    found = []
    for path in product():
        source, place = path.read_text(), path.relative_to(ROOT)
        if _SQL.search(source):
            found.append(f"{place}: in SQL")
        if _KNOWS.search(source):
            found += [f"{place}:{line} {what}" for line, what in writes_of_a_status(source)]
    assert found == []


def test_the_search_for_writers_finds_every_form_of_assignment() -> None:
    source = """
row.status, row.error = "x", ""
setattr(sent, "status", "y")
action.status = t.Delivery(id=1, status="z")
if row.status: pass
"""
    assert writes_of_a_status(source) == [(2, "row"), (3, "sent"), (4, "t.Delivery")]


def state_of(row: Any) -> tuple[str, bool, bool, bool]:
    return (
        row.status,
        row.claim is not None,
        row.deadline is not None,
        row.settled_at is not None,
    )


def right(status: DeliveryStatus) -> tuple[str, bool, bool, bool]:
    return status, status in CLAIMED, status in WITH_DEADLINE, status in SETTLED


def moves(row: Any, to: DeliveryStatus) -> None:
    claim = uuid.uuid4() if to in CLAIMED else None
    move(row, to, NOW, claim=claim, deadline=NOW if to in WITH_DEADLINE else None)


def planned() -> Any:
    return SimpleNamespace(status="planned", claim=None, deadline=None, settled_at=None)


@given(st.lists(st.sampled_from(DeliveryStatus), max_size=30))
def test_random_moves_keep_the_fields_that_each_state_requires(
    wanted: list[DeliveryStatus],
) -> None:
    row = planned()
    for to in wanted:
        before = state_of(row)
        if to in TRANSITIONS[DeliveryStatus(row.status)]:
            moves(row, to)
            assert state_of(row) == right(to)
        else:
            with pytest.raises(WrongTransition):
                moves(row, to)
            assert state_of(row) == before


@given(st.sampled_from(DeliveryStatus), st.booleans(), st.booleans())
def test_a_move_with_a_wrong_claim_or_deadline_is_refused(
    to: DeliveryStatus, claimed: bool, timed: bool
) -> None:
    for was in DeliveryStatus:
        if to not in TRANSITIONS[was] or (claimed, timed) == (to in CLAIMED, to in WITH_DEADLINE):
            continue
        row = planned()
        row.status = was
        with pytest.raises(WrongTransition):
            move(
                row,
                to,
                NOW,
                claim=uuid.uuid4() if claimed else None,
                deadline=NOW if timed else None,
            )
        assert row.status is was


@pytest.mark.services
def test_the_database_accepts_exactly_the_valid_states(engine: Engine) -> None:
    """Tries each status and an unknown one, with and without claim, deadline and end."""
    town = Town(engine)
    town.at("2025-03-03 10:00")
    town.customer()
    town.invoice("INV-1", "2025-03-03")
    town.review()
    town.at("2025-03-04 08:30")
    town.send()
    taken = set()
    every = itertools.product([*DeliveryStatus, "lost"], *[(True, False)] * 3)
    with transaction(engine) as session:
        for status, claim, deadline, settled in every:
            values = {
                "status": str(status),
                "claim": uuid.uuid4() if claim else None,
                "deadline": NOW if deadline else None,
                "settled_at": NOW if settled else None,
            }
            try:
                with session.begin_nested():
                    session.connection().execute(sa.update(t.Delivery).values(values))
            except IntegrityError:
                continue
            taken.add((str(status), claim, deadline, settled))
    assert taken == {right(status) for status in DeliveryStatus}
