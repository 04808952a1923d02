"""The API with keys of providers."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from api.outside.webhooks import Signers
from backoffice.people.vault import Vault, new_secret_key
from stand_ins.office import Office
from tests.cast.signed_callbacks import (
    KEYS,
    PUBLIC,
    stored,
)


@pytest.fixture
def state(app: FastAPI, office: Office) -> Any:
    """The API in the middle of a rotation of keys: the old and the new ones are valid."""
    stored(office)  # nothing waits
    app.state.signers = Signers(KEYS, Vault((new_secret_key(),)), PUBLIC)
    return app.state
