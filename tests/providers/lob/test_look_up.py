"""The look-up at Lob by our delivery id."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from providers.port import (
    CannotTell,
    Found,
    LookUp,
    NotFound,
)
from tests.cast import stand_in as play
from tests.cast.at_lob import (
    NOW,
    OURS,
    LobRequests,
    channel,
    letter,
    lob_server,
)


def looked_up(script: play.Script) -> tuple[LookUp, LobRequests]:
    with lob_server(script) as provider:
        return channel(provider.address).look_up(letter(), NOW), provider


def listed(*metadata: Any) -> play.Script:
    found = [{"id": f"ltr_{i}", "deleted": True, "metadata": m} for i, m in enumerate(metadata)]
    return play.answer("200 OK", body=json.dumps({"data": found, "object": "list"}))


def test_a_letter_is_found_by_our_id_even_if_cancelled() -> None:
    result, provider = looked_up(listed({"dunning_delivery_id": OURS}))
    assert result == Found("ltr_0")
    line = urlsplit(provider.requests[0][0].split(" ")[1])
    assert line.path == "/v1/letters"
    assert dict(parse_qsl(line.query)) == {"metadata[dunning_delivery_id]": OURS, "limit": "10"}


def test_a_look_up_without_a_matching_letter_is_not_found() -> None:
    assert looked_up(listed())[0] == NotFound()


@pytest.mark.parametrize(
    "script",
    [
        listed({"dunning_delivery_id": "another"}),
        listed(None),
        play.answer("200 OK", body='{"data": []}', length=1000),
        play.answer("200 OK", body='{"data": [1]}'),
        play.answer("200 OK", body="{}"),
        play.answer("401 Unauthorized"),
        play.answer("500 Oh"),
        play.silence,
        play.hang_up,
    ],
    ids=["others", "bare", "cut", "shape", "none", "401", "500", "silence", "hang-up"],
)
def test_a_failed_look_up_of_a_letter_cannot_tell(script: play.Script) -> None:
    assert isinstance(looked_up(script)[0], CannotTell)
