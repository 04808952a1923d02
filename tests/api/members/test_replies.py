"""What customers write back, as members read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from backoffice.delivery.replies import take
from dunning.learnt import CameIn, Reply
from stand_ins.office import Office
from store.engine import transaction
from tests.cast.bens_actions import bens_letter
from tests.cast.in_doubt import in_doubt


def wrote(office: Office, text: str, *, delivery: str = "", automatic: bool = False) -> None:
    """What the worker does with a reply of Eve's."""
    reply = Reply(
        at=office.now,
        sender="eve@acme.example",
        subject="Re: 2025-001",
        text=text,
        provider_id=text,
        reference=delivery,
        automatic=automatic,
    )
    with transaction(office.engine) as session:
        assert take(session, reply, CameIn(organisation_id=office.id), datetime.now(UTC)) == ""


def test_replies_come_in_pages_newest_first(office: Office) -> None:
    path = bens_letter(office)
    office.ben.does("POST", f"{path}/complete")
    office.send()
    delivery = office.ben.get(path)["delivery"]["id"]
    for minute, text in enumerate(("one", "two", "three", "four", "five")):
        office.at(f"2025-03-18 1{minute % 2}:30")  # some at the same minute
        wrote(office, text, delivery=delivery, automatic=text == "two")
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(3):
        more = {"cursor": cursor} if cursor else {}
        page = office.cleo.get("/customers/C-1/replies", limit=2, **more)
        found += page["items"]
        cursor = page["next_cursor"]
    assert cursor is None
    assert {r["text"] for r in found[:2]} == {"two", "four"}
    assert {r["text"] for r in found[2:]} == {"one", "three", "five"}
    (two,) = [r for r in found if r["text"] == "two"]
    assert (two["automatic"], two["channel"], two["sender"]) == (True, "email", "eve@acme.example")
    assert (two["subject"], two["delivery_id"]) == ("Re: 2025-001", delivery)
    assert path.endswith(two["action_id"])
    office.billing.fails(403, "GET", "/customers/C-1/replies")
    office.ben.fails(404, "GET", "/customers/C-9/replies")
    for wrong in ("x", "MQ", "MjAyNS0wMy0xOCB4"):
        office.ben.fails(422, "GET", "/customers/C-1/replies", params={"cursor": wrong})


def test_a_reply_names_its_action_only_to_those_who_may_see_it(office: Office) -> None:
    path = in_doubt(office)
    wrote(office, "I have it", delivery=office.ben.get(path)["delivery"]["id"])
    for who, seen in ((office.ben, True), (office.cleo, False), (office.ada, False)):
        (reply,) = who.get("/customers/C-1/replies")["items"]
        assert reply["text"] == "I have it"
        assert (reply["action_id"] is not None, reply["delivery_id"] is not None) == (seen, seen)
    other = Office(office.engine, office.client)
    other.ben.fails(404, "GET", "/customers/C-1/replies")
