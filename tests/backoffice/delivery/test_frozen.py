"""A message stored with its delivery, so that it can be resent under its idempotency key."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine

from backoffice.delivery.frozen import freeze, thaw
from dunning.plan import ActionType
from messages.letter.paper import Paper
from messages.letter.pdf import pdf
from messages.message import Message
from messages.render import render
from messages.table import Table
from providers.port import Accepted, Ambiguous, NotFound
from stand_ins.town import Provider, Town, plan
from stand_ins.town import email as step
from store import tables as t
from store.engine import transaction
from tests.cast import letters
from tests.cast.printed import letter, pages

#: A delivery's columns, and the pieces of the PDF that was made of it (A4), before 0.2.0.
STORED = json.loads(Path(__file__).with_name("letter_stored_as_text.json").read_text())


def thawed(data: dict[str, Any]) -> Message:
    """Read a message back from the database's JSON. None has files, so no session is used."""
    row: Any = SimpleNamespace(message=json.loads(json.dumps(data)))
    session: Any = None
    return thaw(session, row)


def table_letter() -> Message:
    invoices = (letters.invoice("INV-1"), letters.invoice("INV-10", "5", days=0))
    facts = letters.facts(invoices=invoices, language="fr")
    made = render("", "Dear,\n\n{{ invoices_table }}\n\nSam", facts, ActionType.LETTER)
    return letter(text=made.text, body=made.body)


def test_a_stored_message_is_read_back_unchanged() -> None:
    for message in (letters.email(), letters.sms(), table_letter()):
        again = thawed(freeze(message))
        assert again == message
        assert again.content_hash() == message.content_hash()
    assert any(isinstance(part, Table) for part in table_letter().body)


def test_only_a_letter_is_stored_with_its_tables() -> None:
    assert "body" in freeze(table_letter())
    assert not {"body"} & {*freeze(letters.email()), *freeze(letters.sms())}


def test_a_letter_stored_as_text_has_the_same_pdf_and_hash_as_before() -> None:
    again = thawed(STORED["message"])
    assert again.content_hash() == STORED["message_hash"]
    printed = [p for page in pages(pdf(again, Paper.A4)) for p in page]
    assert [p.text for p in printed] == [text for text, _, _ in STORED["pieces"]]
    for piece, (_, x, y) in zip(printed, STORED["pieces"], strict=True):
        assert (piece.x, piece.y) == pytest.approx((x, y), abs=0.05)


@pytest.mark.services
@pytest.mark.parametrize("stored_before", [True, False], ids=["as text", "with its tables"])
def test_a_stored_letter_is_resent_unchanged_under_its_key(
    engine: Engine, stored_before: bool
) -> None:
    """The provider is idempotent and its answer was lost: the retry has the same key and PDF."""
    steps = plan(step("one", 1, type="letter", body="Dear,\n\n{{ invoices_table }}\n\nSam"))
    provider = Provider(
        Ambiguous("read timed out"),
        Accepted("ltr-1"),
        idempotent=True,
        kind=ActionType.LETTER,
        knows=[NotFound()],
    )
    town = Town(engine, provider, steps)
    town.at("2025-03-03 10:00")
    home = {"line1": "12 rue de l'Église", "city": "Paris", "postal_code": "75011", "country": "FR"}
    town.customer(postal=home)
    town.invoice("INV-1", "2025-03-03")
    town.review()
    town.at("2025-03-04 08:30")
    assert town.send("letter").look_up
    (row,) = town.rows_of(t.Delivery)
    if stored_before:
        with transaction(engine) as session:
            kept = session.get_one(t.Delivery, row.id)
            kept.message = {name: v for name, v in kept.message.items() if name != "body"}
    town.look_up("letter")
    first, second = provider.tried
    assert any(isinstance(part, Table) for part in second.body)
    assert second.delivery_id == first.delivery_id
    assert second.content_hash() == first.content_hash() == row.message_hash
    assert pdf(second, Paper.US_LETTER) == pdf(first, Paper.US_LETTER)
    assert town.rows_of(t.Delivery)[0].status == "accepted"
    assert ("one", "done") in town.actions()
