"""The short links in messages."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from httpx import Response
from sqlmodel import select

from activities.callbacks import Callbacks
from providers.registry import readers
from stand_ins.office import Office
from store import tables as t
from store.engine import connect, transaction
from tests.cast.short_links import URL, fate, link_in, opened, sms

BROWSER = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"}


PREVIEWS = [
    "WhatsApp/2.23",
    "facebookexternalhit/1.1",
    "Slackbot-LinkExpanding 1.0",
    "TelegramBot",
    "Mozilla/5.0 (compatible; Googlebot/2.1)",
    "curl/8",
    "Mozilla/5.0 Barracuda Sentinel",
    "SkypeUriPreview",
    "Twitterbot/1.0",
    "python-requests/2",
    "",
]


def follow(office: Office, link: str, method: str = "GET", **headers: str) -> Response:
    raw = {**BROWSER, **headers}
    answer: Response = office.client.request(method, link, headers=raw)
    return answer


def counted(office: Office) -> None:
    """Runs the worker's step that counts stored clicks."""
    Callbacks(office.engine, "", readers()).take_batch()


def clicks(office: Office) -> list[t.Callback]:
    """The stored clicks that are not counted yet."""
    with transaction(office.engine) as session:
        rows = session.exec(
            select(t.Callback).where(t.Callback.provider == "link", t.Callback.outcome == "")
        )
        return list(rows)


def test_a_link_leads_to_the_page_and_counts_once(office: Office, state: Any) -> None:
    path = sms(office)
    link = link_in(office, path)
    assert link.startswith("/l/")
    assert fate(office, path) == ("sent", None)
    answer = follow(office, link)
    assert (answer.status_code, answer.headers["location"]) == (302, URL)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert fate(office, path) == ("sent", None)  # not in the request
    counted(office)
    once = fate(office, path)
    assert (once[0], once[1] is not None) == ("opened", True)
    office.at("2025-03-05 10:00")
    assert follow(office, link).status_code == 302
    assert clicks(office) == []  # nothing is left to be learnt
    assert fate(office, path) == once
    assert opened(office) == ["message_clicked"]
    assert office.ben.get(path)["status"] == "done"


def test_a_link_opens_while_somebody_holds_the_customer_and_counts_afterwards(
    office: Office, state: Any
) -> None:
    path = sms(office)
    link = link_in(office, path)
    state.lock_timeout_ms = 50
    with office.engine.connect() as held, held.begin():
        held.execute(sa.text("SELECT 1 FROM customer FOR UPDATE"))
        answer = follow(office, link)
        assert (answer.status_code, answer.headers["location"]) == (302, URL)
        assert len(clicks(office)) == 1  # it is kept before the answer leaves
    counted(office)
    assert fate(office, path)[0] == "opened"
    assert opened(office) == ["message_clicked"]
    assert clicks(office) == []


def test_a_link_opens_while_the_database_is_read_only(
    office: Office, state: Any, caplog: pytest.LogCaptureFixture
) -> None:
    link = link_in(office, sms(office))
    pooled = connect(office.engine.url.render_as_string(hide_password=False), pool_size=1)
    with pooled.connect() as connection:
        connection.execute(sa.text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
        connection.commit()
    state.engine = pooled
    answer = follow(office, link)
    assert (answer.status_code, answer.headers["location"]) == (302, URL)
    assert "is not counted" in caplog.text
    pooled.dispose()


def test_link_previews_do_not_count_as_opened(office: Office, state: Any) -> None:
    path = sms(office)
    link = link_in(office, path)
    for agent in PREVIEWS:
        answer = follow(office, link, **{"User-Agent": agent})
        assert (answer.status_code, answer.headers["location"]) == (302, URL)
    head = follow(office, link, "HEAD")
    assert (head.status_code, head.headers["location"]) == (302, URL)
    assert fate(office, path) == ("sent", None)
    assert opened(office) == []


def test_a_link_never_leads_where_its_query_says(office: Office, state: Any) -> None:
    link = link_in(office, sms(office))
    for more in ("?url=https://evil.example", "?to=//evil.example", "?target=https://evil.example"):
        assert follow(office, link + more).headers["location"] == URL
    for unknown in (
        "/l/preview-preview-",
        f"{link}x",
        link[:-1],
        "/l/https:%2F%2Fevil.example",
        f"{link}%00",
        "/l/" + "x" * 64,
        "/l/%F0%9F%98%80",
    ):
        answer = follow(office, unknown)
        assert (answer.status_code, "location" in answer.headers) in ((404, False), (422, False))
    assert follow(office, f"{link}/https://evil.example").status_code == 404
    assert follow(office, link, "POST").status_code == 405


def test_unknown_links_of_others_do_not_block_a_known_one(office: Office, state: Any) -> None:
    link = link_in(office, sms(office))
    for n in range(25):
        assert follow(office, f"/l/guess-{n}").status_code == 404
    assert follow(office, link).status_code == 302
