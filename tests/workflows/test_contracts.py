"""Payloads of older versions still load, because a sequence may have slept since they were
written."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter

from workflows.contracts import Instruction, ReviewInput, SendInput, SequenceStart, Signal

TUESDAY = datetime(2025, 3, 4, 7, 30, tzinfo=UTC)

#: Payloads from histories of older releases, and the values to which they must load. Never change a
#: line; add one when a field is added.
RECORDED: list[tuple[str, Any]] = [
    (
        (
            '{"signal":"payment","id":"P-7","nudge":12,"invoice":"INV-1","amount":"12.50 EUR",'
            '"until":"","who":"Ben","why":"is reported","clock":false}'
        ),
        Signal("payment", "P-7", 12, "INV-1", "12.50 EUR", "", "Ben", "is reported"),
    ),
    (
        (
            '{"signal":"account_changed","id":"x","nudge":3,"invoice":"","amount":"","until":"","who":"",'
            '"why":"","clock":true}'
        ),
        Signal("account_changed", "x", 3, clock=True),
    ),
    (
        (
            '{"state":"wait","until":"2025-03-04T07:30:00Z","then":"email","carrying":"INV-1",'
            '"summary":"Waiting until Tue 4 Mar 2025 08:30","label":"1st reminder · INV-1",'
            '"owes_nothing":false}'
        ),
        Instruction(
            "wait",
            TUESDAY,
            "email",
            "INV-1",
            "Waiting until Tue 4 Mar 2025 08:30",
            "1st reminder · INV-1",
        ),
    ),
    (
        (
            '{"state":"rest","until":null,"then":null,"carrying":null,"summary":"Resting","label":"",'
            '"owes_nothing":true}'
        ),
        Instruction("rest", summary="Resting", owes_nothing=True),
    ),
    (
        (
            '{"organisation_id":"amber","customer_id":"acme","task_queue":"dunning","carrying":null,'
            '"next":null,"state":""}'
        ),
        SequenceStart("amber", "acme"),
    ),
    (
        (
            '{"organisation_id":"amber","customer_id":"acme","task_queue":"q","carrying":"INV-2",'
            '"next":{"state":"wait","until":"2025-03-04T07:30:00Z","then":"sms","carrying":"INV-2",'
            '"summary":"s","label":"l","owes_nothing":false},"state":"wait","about":"Customer C-1"}'
        ),
        SequenceStart(
            "amber",
            "acme",
            "q",
            "INV-2",
            Instruction("wait", TUESDAY, "sms", "INV-2", "s", "l"),
            "wait",
            "Customer C-1",
        ),
    ),
    (
        (
            '{"organisation_id":"amber","customer_id":"acme","now":"2025-03-04T07:30:00Z","messages":'
            '[{"signal":"skip","id":"x","nudge":0,"invoice":"","amount":"","until":"","who":"Ben",'
            '"why":"","clock":false}]}'
        ),
        ReviewInput("amber", "acme", TUESDAY, [Signal("skip", "x", who="Ben")]),
    ),
    (
        (
            '{"organisation_id":"amber","customer_id":"acme","now":"2025-03-04T07:30:00.123456Z",'
            '"channel":"email","handled":12}'
        ),
        SendInput("amber", "acme", TUESDAY.replace(microsecond=123456), "email", 12),
    ),
    (
        '{"state":"send"}',
        Instruction("send"),
    ),
    (
        "{}",
        Signal(),
    ),
    (
        '{"organisation_id":"amber","customer_id":"acme"}',
        SequenceStart("amber", "acme"),
    ),
    (
        '{"organisation_id":"amber","customer_id":"acme","now":"2025-03-04T08:30:00+01:00"}',
        ReviewInput("amber", "acme", TUESDAY),
    ),
    (
        (
            '{"organisation_id":"amber","customer_id":"acme","now":"2025-03-04T07:30:00Z",'
            '"channel":"letter"}'
        ),
        SendInput("amber", "acme", TUESDAY, "letter"),
    ),
    (
        '{"state":"rest","mood":"good"}',
        Instruction("rest"),
    ),
]


@pytest.mark.parametrize(("text", "meant"), RECORDED)
async def test_recorded_payloads_still_load(text: str, meant: Any) -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=text.encode())
    (found,) = await pydantic_data_converter.decode([payload], [type(meant)])
    assert found == meant


@pytest.mark.parametrize("meant", [meant for _, meant in RECORDED])
async def test_written_payloads_read_back_equal(meant: Any) -> None:
    payloads = await pydantic_data_converter.encode([meant])
    assert await pydantic_data_converter.decode(payloads, [type(meant)]) == [meant]


def test_fields_added_after_the_first_release_have_a_default() -> None:
    """These fields were in the first release; every later one must be optional."""
    first = {
        Signal: set[str](),
        Instruction: {"state"},
        SequenceStart: {"organisation_id", "customer_id"},
        ReviewInput: {"organisation_id", "customer_id", "now"},
        SendInput: {"organisation_id", "customer_id", "now", "channel"},
    }
    for contract, needed in first.items():
        bare = {
            f.name
            for f in fields(contract)
            if f.default is MISSING and f.default_factory is MISSING
        }
        assert bare == needed, contract


def read(signal: str, payload: Any) -> list[Signal]:
    return Signal.read_all(signal, payload, "made")


def test_a_signal_in_the_form_of_older_versions_is_one_message() -> None:
    assert read("payment", {"id": "P-7", "nudge": 12}) == [Signal("payment", "P-7", 12)]
    assert read("pause", "moving house") == [Signal("pause", "made", why="moving house")]
    assert read("skip", None) == [Signal("skip", "made")]


def test_one_signal_can_contain_several_messages() -> None:
    payload = {
        "nudge": 14,
        "messages": [
            {"signal": "payment", "id": "P-7", "nudge": 12, "amount": "5.00 EUR"},
            {"signal": "account_changed", "clock": True, "nudge": 13},
            {"signal": "complete", "who": "Ben", "nudge": 14},
        ],
    }
    assert read("payment", payload) == [
        Signal("payment", "P-7", 12, amount="5.00 EUR"),
        Signal("account_changed", "made/1", 13, clock=True),
        Signal("complete", "made/2", 14, who="Ben"),
    ]
    # An older worker reads it as one signal of the relay, and not as one by hand.
    assert Signal.read("payment", payload, "made").nudge == 14


@pytest.mark.parametrize(
    ("several", "found"),
    [
        ([], 0),
        ([None, 7, "x", [], {}], 0),
        ([{"signal": "elope"}, {"signal": ["pause"]}, {"signal": "skip"}], 1),
        ({"signal": "skip"}, 1),  # not a list: the payload is one message with the signal's name
        ([{"signal": "pause", "nudge": -1, "who": {"a": "\0"}}] * 3, 3),
    ],
)
def test_invalid_entries_among_several_messages_are_left_out(several: Any, found: int) -> None:
    assert len(read("skip", {"messages": several})) == found
    ids = [message.id for message in read("skip", {"messages": several})]
    assert len(set(ids)) == len(ids)
