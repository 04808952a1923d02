"""An organisation that imports."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.cast.imports import Office


@pytest.fixture
def office(engine: Engine) -> Office:
    return Office(engine)
