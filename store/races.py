"""Transactions that fail because of concurrent ones, and are run again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

Result = TypeVar("Result")

#: How often a transaction is run again, by SQLSTATE: deadlock, serialization failure, and a unique
#: key that another transaction has just used: the second time its row is found.
_TIMES = {"40P01": 2, "40001": 2, "23505": 1}
_LONGEST_PAUSE = 0.05


def times(error: BaseException) -> int:
    """How often a transaction with this error is run again; 0 = it would fail again."""
    if isinstance(error, StaleDataError):  # a row that was read has been deleted
        return 2
    return _TIMES.get(state_of(error), 0)


def state_of(error: BaseException) -> str:
    """The SQLSTATE; empty for an error without one."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def repeated(work: Callable[[], Result]) -> Result:
    """Run ``work``, one whole transaction, again while its error allows it (``times``)."""
    done = 0
    while True:
        try:
            return work()
        except (DBAPIError, StaleDataError) as error:
            if done >= times(error):
                raise
        done += 1
        time.sleep(random.uniform(0, _LONGEST_PAUSE))
