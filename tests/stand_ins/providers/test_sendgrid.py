"""The stand-in of SendGrid: refusals and Email Logs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stand_ins.providers import Faults, StandIns
from tests.cast.at_stand_ins import (
    ask,
    mail,
    send_mail,
    sendgrid,
)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"block": {"cc": [{"email": "ADA@acme.example"}]}}, "personalizations"),
        ({"block": {"to": [{"email": "ada at acme"}]}}, "personalizations.0.to.0.email"),
        ({"block": {"to": []}}, "personalizations.0.to"),
        ({"block": {"custom_args": {"a": 1}}}, "personalizations.0.custom_args.a"),
        ({"block": {"custom_args": ["a"]}}, "personalizations.0.custom_args"),
        ({"custom_args": {"a": "b"}}, "custom_args"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
        ({"subject": ""}, "subject"),
        ({"from": {}}, "from.email"),
    ],
)
def test_sendgrid_refuses_a_bad_email_and_names_the_field(
    wrong: dict[str, Any], field: str
) -> None:
    with StandIns() as on:
        status, _, body = sendgrid(on, "/v3/mail/send", mail(**wrong))
    (error,) = json.loads(body)["errors"]
    assert (status, error["field"]) == (400, field)
    assert error["message"]
    assert on.ledger.entries() == []


def test_sendgrids_logs_find_a_message_after_their_lag() -> None:
    now = [datetime(2026, 3, 2, 8, 30, tzinfo=UTC)]
    since = 'sg_message_id_created_at >= TIMESTAMP "2026-03-02T08:30:00Z"'
    query = f'to_email = "ben@acme.example" AND {since}'

    def found(**asked: Any) -> list[Any]:
        status, _, body = sendgrid(on, "/v3/logs", asked)
        assert status == 200
        return list(json.loads(body)["messages"])

    with StandIns(faults=Faults.none(lag=30), clock=lambda: now[0]) as on:
        _, headers, _ = send_mail(on, "d5")
        now[0] += timedelta(seconds=29)
        assert found(query=query) == []
        now[0] += timedelta(seconds=1)
        (line,) = found(query=query)
        assert line["sg_message_id"].split(".")[0] == headers["X-Message-Id"]
        assert "custom_args" not in line
        assert found(query=query.replace(">=", ">")) == []
        assert found(query='to_email = "BEN@acme.example"') == []
        assert len(found(query="status IN ('delivered', 'bounced')", limit=1)) == 1
        head = {"Authorization": f"Bearer {on.keys.sendgrid}"}
        status, _, body = ask(on.sendgrid_url, "GET", f"/v3/logs/{line['sg_message_id']}", head)
        assert (status, json.loads(body)["custom_args"]) == (200, {"dunning_delivery_id": "d5"})


@pytest.mark.parametrize(
    "asked",
    [
        {"query": 'to_email = "a@b.example" OR subject = "x"'},
        {"query": "to_email LIKE 'a%'"},
        {"query": 'sg_message_id_created_at > "2026-03-02T08:30:00Z"'},
        {"query": 'from_email = "a@b.example"'},
        {"query": 'sg_message_id_created_at > TIMESTAMP "yesterday"'},
        {"limit": 0},
        {"limit": 1001},
    ],
)
def test_sendgrids_logs_refuse_an_unknown_query(asked: dict[str, Any]) -> None:
    with StandIns() as on:
        assert sendgrid(on, "/v3/logs", asked)[0] == 400
