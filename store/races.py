"""Races that a transaction may lose without anybody's fault, and may then be run again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

Result = TypeVar("Result")

#: SQLSTATE: how often it is run again. A deadlock, a serialization failure; a key that somebody
#: else has just used, who is found the second time.
_TIMES = {"40P01": 2, "40001": 2, "23505": 1}
_LONGEST_PAUSE = 0.05


def times(error: BaseException) -> int:
    """How often what ended so is run again, as a whole; 0 = it would end so again."""
    if isinstance(error, StaleDataError):  # a row that was read is gone
        return 2
    return _TIMES.get(state_of(error), 0)


def state_of(error: BaseException) -> str:
    """The SQLSTATE, or nothing."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def repeated(work: Callable[[], Result]) -> Result:
    """``work`` is a transaction of its own, and everything it writes is in it."""
    done = 0
    while True:
        try:
            return work()
        except (DBAPIError, StaleDataError) as error:
            if done >= times(error):
                raise
        done += 1
        time.sleep(random.uniform(0, _LONGEST_PAUSE))
