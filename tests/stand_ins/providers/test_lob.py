"""The stand-in of Lob: refusals, idempotency keys and its list."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from stand_ins.providers import StandIns
from tests.cast.at_stand_ins import (
    ADDRESS,
    ask,
    basic,
    send_letter,
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"file": "<html>"},
        {"file": None},
        {"use_type": None},
        {"use_type": "spam"},
        {"color": None},
        {"to": ADDRESS | {"name": ""}},
        {"to": ADDRESS | {"address_zip": "1"}},
        {"to": ADDRESS | {"name": "x" * 41}},
        {"from": ADDRESS | {"address_country": "FR"}},
        {"extra_service": "registered"},
        {"metadata": {"dunning_delivery_id": 1}},
    ],
)
def test_lob_refuses_a_bad_letter_with_its_reason(wrong: dict[str, Any]) -> None:
    with StandIns() as on:
        status, _, body = send_letter(on, **wrong)
    error = json.loads(body)["error"]
    assert (status, error["status_code"]) == (422, 422)
    assert error["message"]
    assert error["code"]
    assert on.ledger.entries() == []


def test_lob_reads_a_multipart_form_with_the_bytes_of_the_file() -> None:
    pdf = b"%PDF-1.7\r\n\x00\xff--b\r\n\r\n%%EOF\r\n"
    texts = {"color": "true", "use_type": "operational", "metadata[dunning_delivery_id]": "d9"}
    texts |= {f"{part}[{k}]": v for part in ("to", "from") for k, v in ADDRESS.items()}
    parts = [f'name="{name}"\r\n\r\n{text}'.encode() for name, text in texts.items()]
    parts.append(b'name="file"; filename="l.pdf"\r\nContent-Type: application/pdf\r\n\r\n' + pdf)
    start = b"--bound\r\nContent-Disposition: form-data; "
    body = b"".join(start + part + b"\r\n" for part in parts) + b"--bound--\r\n"
    head = {"Content-Type": "multipart/form-data; boundary=bound"}
    with StandIns() as on:
        head["Authorization"] = basic(on.keys.lob, "")
        status, _, told = ask(on.lob_url, "POST", "/v1/letters", head, body)
    assert status == 200, told
    (entry,) = on.ledger.of("d9")
    assert entry.body["file"] == pdf
    assert entry.body["color"] is True


def test_lob_answers_the_first_letter_for_its_idempotency_key_for_a_day() -> None:
    now = [datetime(2026, 3, 2, 8, 30, tzinfo=UTC)]
    with StandIns(clock=lambda: now[0]) as on:
        first = json.loads(send_letter(on, key="k1")[2])
        now[0] += timedelta(hours=23, minutes=59)
        again = json.loads(send_letter(on, key="k1", color=True)[2])
        assert again == first
        assert on.ledger.accepted("d1") == 1
        assert json.loads(send_letter(on, key="k2")[2])["id"] != first["id"]
        now[0] += timedelta(minutes=1)
        assert json.loads(send_letter(on, key="k1")[2])["id"] != first["id"]
        assert on.ledger.accepted("d1") == 3
        assert send_letter(on, key="k" * 257)[0] == 422


def test_lob_lists_by_metadata_page_after_page() -> None:
    with StandIns() as on:
        head = {"Authorization": basic(on.keys.lob, "")}
        for delivery in ("d1", "d2", "d1"):
            send_letter(on, delivery)

        def listed(query: str) -> dict[str, Any]:
            status, _, body = ask(on.lob_url, "GET", f"/v1/letters?{query}", head)
            assert status == 200
            return dict(json.loads(body))

        newest = on.ledger.of("d1")[::-1]
        mine = "metadata%5Bdunning_delivery_id%5D=d1"
        assert [m["id"] for m in listed(mine)["data"]] == [e.provider_id for e in newest]
        page = listed(f"{mine}&limit=1")
        assert page["count"] == 1
        page = listed(urlsplit(page["next_url"]).query)
        assert [m["id"] for m in page["data"]] == [newest[1].provider_id]
        assert page["next_url"] is None
        as_the_client_writes_it = urlencode({"metadata": '{"dunning_delivery_id": "d2"}'})
        assert listed(as_the_client_writes_it)["count"] == 1
        assert listed(f"{mine}&date_created%5Bgt%5D=2099-01-01T00:00:00Z")["count"] == 0
        assert ask(on.lob_url, "GET", "/v1/letters?colour=red", head)[0] == 422
