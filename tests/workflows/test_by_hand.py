"""Signals by hand with the ``temporal`` command line, with and without input; an invalid one never
blocks a run."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from local.standalone import temporal_executable
from tests.cast.scripted import Clerk, Sequence, rest, until, working
from tests.cast.skipping import Skipping
from workflows.contracts import SIGNALS, Signal

pytestmark = pytest.mark.services


async def temporal_signal(sequence: Sequence, address: str, name: str, *more: str) -> str:
    """Run ``temporal workflow signal`` with these arguments; returns its error, "" = none."""
    process = await asyncio.create_subprocess_exec(
        temporal_executable(),
        "workflow",
        "signal",
        "--address",
        address,
        "--workflow-id",
        sequence.id,
        "--name",
        name,
        *more,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode() if process.returncode else ""


def messages(sequence: Sequence) -> list[Signal]:
    """The messages that were given to reviews."""
    return [m for call in sequence.clerk.calls for m in call.messages]


async def test_every_signal_by_hand_is_read_with_and_without_input(
    skipping: Skipping, temporal: str
) -> None:
    words: list[dict[str, Any]] = [
        {"id": f"by-hand-{n}", "who": "Ben", "why": "on the phone"} for n in SIGNALS
    ]
    async with working(skipping, Clerk(rest())) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        inputs = [("--input", json.dumps(w)) for w in words]
        said = await asyncio.gather(
            *(temporal_signal(acme, temporal, n) for n in SIGNALS),
            *(temporal_signal(acme, temporal, n, *i) for n, i in zip(SIGNALS, inputs, strict=True)),
            temporal_signal(acme, temporal, "payment", "--input", '{"amount": 12.50}'),
            temporal_signal(acme, temporal, "skip", "--input", '"they moved"'),
        )
        assert set(said) == {""}
        await until(lambda: len(messages(acme)) == len(said))
        for name, w in zip(SIGNALS, words, strict=True):
            assert Signal(name, **w) in messages(acme)
        plain = [m for m in messages(acme) if not (m.who or m.why or m.amount)]
        assert sorted(m.signal for m in plain) == sorted(SIGNALS)
        assert all(m.nudge == 0 and not m.clock for m in plain)
        assert len({m.id for m in messages(acme)} - {""}) == len(said)  # each has an id of its own
        assert [m.amount for m in messages(acme) if m.amount] == ["12.5"]
        assert [m.signal for m in messages(acme) if m.why == "they moved"] == ["skip"]
        await acme.is_sound()


#: Invalid arguments of the command line; some of them it refuses itself.
TYPED: list[tuple[str, ...]] = [
    ("--input", "null"),
    ("--input", "[1, 2]"),
    ("--input", '"one"', "--input", '"two"', "--input", "3"),
    ("--input", "AAAA", "--input-base64", "--input-meta", "encoding=binary/plain"),
    ("--input", "what"),
]

#: (encoding, data) of payloads; the SDK drops those it cannot read.
SENT: list[list[tuple[str, bytes]]] = [
    [("json/plain", b"42")],
    [("json/plain", b'{"id": "", "nudge": true, "clock": "yes"}')],
    [("json/plain", b'{"id": {"a": [1]}, "who": [], "why": 1e300}')],
    [("json/plain", b'{"nudge": 99999999999999999999999999}')],
    [("json/plain", b'{"nudge": -5}')],
    [("json/plain", b'{"amount": ' + b"9" * 5000 + b"}")],
    [("json/plain", rb'{"id": "a\u0000b", "why": "\u0000"}')],
    [("json/plain", rb'{"id": "\ud800", "why": "\udfff"}')],
    [("json/plain", b'{"why": "' + b"x" * 100_000 + b'"}')],
    [("json/plain", b"[" * 10_000 + b"]" * 10_000)],
    [("json/plain", b'{"why": ' + b"[" * 150 + b"]" * 150 + b"}")],
    [("json/plain", b"{not json")],
    [("json/plain", b"\xff\xfe")],
    [("json/plain", b"1"), ("json/plain", b"2"), ("binary/null", b"")],
    [("binary/plain", b"\0\xff")],
    [("binary/null", b"")],
    [("of/our/own", b"what")],
    [("json/protobuf", b"{}")],
]


async def test_an_unreadable_signal_never_blocks_a_run(skipping: Skipping, temporal: str) -> None:
    """After all these signals the sequence still accepts signals, and every message can be
    stored."""
    async with working(skipping, Clerk(rest())) as acme:
        await acme.begin()
        await acme.clerk.called(1)
        await asyncio.gather(
            temporal_signal(acme, temporal, "sing-a-song", "--input", '{"who": "Ben"}'),
            *(temporal_signal(acme, temporal, "skip", *words) for words in TYPED),
        )
        for sent in SENT:
            raw = [Payload(metadata={"encoding": e.encode()}, data=d) for e, d in sent]
            await acme.handle.signal("payment", args=[RawValue(p) for p in raw])
        await acme.signal("complete", "still there?")
        await until(lambda: any(m.why == "still there?" for m in messages(acme)))
        assert len(messages(acme)) > 10  # the SDK drops what it cannot read
        for message in messages(acme):
            assert_storable(message)
        await acme.is_sound()


def assert_storable(message: Signal) -> None:
    assert message.id
    assert type(message.nudge) is int
    assert 0 <= message.nudge < 2**63
    for text in (message.id, message.who, message.why, message.until, message.amount):
        assert "\0" not in text
        assert len(text.encode()) <= 2000


@pytest.mark.parametrize(
    "payload",
    [
        None,
        7,
        1.5,
        [],
        b"\xff",
        "a\0b",
        "\ud800",
        {"id": "\0"},
        {"nudge": 2**63},
        {"nudge": True},
        {"amount": float("nan")},
        {"amount": 10**5000},
        {"id": ""},
        {"until": {"x": 1}},
        {1: 2},
    ],
)
def test_a_message_from_any_payload_can_be_stored(payload: Any) -> None:
    assert_storable(Signal.read("skip", payload, "made-id"))
