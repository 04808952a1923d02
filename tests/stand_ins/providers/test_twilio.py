"""The stand-in of Twilio: refusals and its list."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from stand_ins.providers import StandIns
from tests.cast.at_stand_ins import (
    ask,
    basic,
    messages,
    send_sms,
)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"To": "0612345678"}, 21211),
        ({"To": ""}, 21604),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"From": ""}, 21603),
        ({"StatusCallback": "ftp://x.example/"}, 21609),
        ({"StatusCallback": "http://under_score.example/"}, 21609),
        ({"To": "+15005550004"}, 21610),
        ({"To": "+15005550009"}, 21614),
    ],
)
def test_twilio_refuses_a_bad_message_with_its_code(wrong: dict[str, Any], code: int) -> None:
    with StandIns() as on:
        status, _, body = send_sms(on, **wrong)
    told = json.loads(body)
    assert (status, told["status"], told["code"]) == (400, 400, code)
    assert told["more_info"].endswith(f"/{code}")
    assert on.ledger.entries() == []


def test_twilio_lists_by_number_and_date_page_after_page() -> None:
    now = [datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)]
    with StandIns(clock=lambda: now[0]) as on:
        head = {"Authorization": basic(on.keys.twilio_account, on.keys.twilio_token)}

        def listed(path: str) -> dict[str, Any]:
            status, _, body = ask(on.twilio_url, "GET", path, head)
            assert status == 200
            return dict(json.loads(body))

        send_sms(on, "d0")
        now[0] += timedelta(seconds=1)
        for n in (1, 2, 3):
            send_sms(on, f"d{n}", Body=f"text {n}")
        send_sms(on, "d4", To="+33687654321")
        asked = urlencode({"To": "+33612345678", "DateSent>": "2026-03-03", "PageSize": "2"})
        page = listed(f"{messages(on)}?{asked}")
        assert [m["body"] for m in page["messages"]] == ["text 3", "text 2"]
        page = listed(page["next_page_uri"])
        assert [m["body"] for m in page["messages"]] == ["text 1"]
        assert page["next_page_uri"] is None
        day = urlencode({"DateSent": "2026-03-02"})
        assert len(listed(f"{messages(on)}?{day}")["messages"]) == 1
        second = urlencode({"DateSent<": "2026-03-02T23:59:59Z"})
        assert len(listed(f"{messages(on)}?{second}")["messages"]) == 1
