"""JSON and TOML of users are read, or refused with a reason, in bounded time."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest

from books.reading import DEPTH, TOML_BYTES, Unreadable, read_json, read_toml

EXAMPLES = Path(__file__).parents[2] / "examples"
N = TOML_BYTES - 10


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a." * 30_000 + "a = 1", "has a name of more than 10 parts"),
        ("[" + "a . " * 11 + "a]", "has a name of more than 10 parts"),
        ("x = {" + "'a'." * 11 + "a = 1}", "has a name of more than 10 parts"),
        ('"a.b\\"". ' * 11 + "a = 1", "has a name of more than 10 parts"),
        ("a = 1\n" * 60_000, "has more than 300,000 characters"),
        ("a = " + "[" * 40 + "]" * 40, "is nested more than 32 levels"),
        ("a = " + "[" * 5000, "is nested more than 32 levels"),
        ("a = ", "is not TOML: Invalid value"),
        (b"a = '\xff'", "is not TOML: 'utf-8' codec"),
        ("a = " + "1" * 5000, "is not TOML: Exceeds the limit"),
    ],
)
def test_bad_toml_is_refused_with_the_reason(text: str | bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_toml(text)
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[" + b"[]," * 60_000 + b"0]", "has more than 50,000 values"),
        ("[" + "0," * 60_000 + "0]", "has more than 50,000 values"),
        (
            "[{" + ",".join(f'"k{n}":1' for n in range(101)) + "}]",
            "has an object of more than 100 names",
        ),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "is nested more than 32 levels"),
        (b"[" * 5000, "is nested more than 32 levels"),
        (b"{", "is not JSON: Expecting property name"),
        (b"\xff", "is not JSON: 'utf-8' codec"),
        (b"1" * 5000, "is not JSON: Exceeds the limit"),
    ],
)
def test_bad_json_is_refused_with_the_reason(text: str | bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_json(text)
    assert str(refused.value).startswith(reason)


#: Worst cases for the search for dotted names and for the parser.
TEDIOUS = [
    "a" * N,
    '"' + '\\"' * (N // 2),
    "a " * (N // 2),
    '" ' * (N // 2),
    "' \"" * (N // 3),
    "a.\n" * (N // 3),
    ". " * (N // 2),
    "a" + " " * N,
    "#\n" * (N // 2),
    "a.a.a.a.a.a.a.a.a.a\n" * (N // 20),
    "[a.a.a.a.a.a.a.a.a.a]\n" * (N // 22),
]


@pytest.mark.parametrize("text", TEDIOUS, ids=lambda text: repr(text[:12]))
def test_any_toml_within_the_limits_is_read_quickly(text: str) -> None:
    began = time.perf_counter()
    with suppress(Unreadable):
        read_toml(text)
    assert time.perf_counter() - began < 5


def test_ordinary_json_and_toml_are_read() -> None:
    for path in EXAMPLES.glob("*.toml"):
        assert read_toml(path.read_bytes())
    assert read_toml(b"\xef\xbb\xbfa.b.c = 'x.y.z ... and so on'") == {
        "a": {"b": {"c": "x.y.z ... and so on"}}
    }
    assert read_json("[" * DEPTH + "]" * DEPTH)
    assert read_json(b'{"a": ["b, c"]}') == {"a": ["b, c"]}
