"""Credentials for Lob are checked when they are entered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.cast.at_lob import (
    AMBER,
    THERE,
    account,
)


@pytest.mark.parametrize(
    "changes",
    [
        {"api_key": ""},
        {"api_key": "two words"},
        {"api_key": "clé"},
        {"api_key": "a\r\nX: y"},
        {"sender": THERE},
        {"sender": replace(AMBER, line1="")},
        {"sender": replace(AMBER, postal_code="")},
        {"sender": replace(AMBER, region="")},
        {"sender_name": " "},
        {"sender_name": "x" * 41},
        {"webhook_secrets": ("",)},
        {"host": "api.lob.com"},
        {"mail_type": "pigeon"},
    ],
)
def test_credentials_that_cannot_work_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        replace(account(), **changes)
