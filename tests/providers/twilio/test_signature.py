"""The signature of Twilio's callbacks."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from providers.callback import Callback
from providers.twilio.callbacks import verified
from tests.cast.at_twilio import (
    NOON,
)

# The signature

PUBLISHED = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def signed(
    form: Mapping[str, str | list[str]] = PUBLISHED,
    url: str = URL,
    signature: str = SIGNATURE,
    how: str = "",
) -> Callback:
    headers = {"x-twilio-signature": signature, "x-twilio-webhooks-signature-settings": how}
    return Callback(url, urlencode(form, doseq=True).encode(), headers)


def test_the_published_signature_is_valid_with_any_of_the_tokens() -> None:
    assert verified(["12345"], signed(), NOON)
    assert verified(["old", "12345"], signed(), NOON)
    assert verified(["12345", "new"], signed(), NOON)


@pytest.mark.parametrize(
    ("tokens", "callback"),
    [
        ([], signed()),
        ([""], signed()),
        (["1234"], signed()),
        (["12345"], signed(signature="")),
        (["12345"], signed(signature=SIGNATURE[:-1])),
        (["12345"], signed(signature="é" * 28)),
        (["12345"], Callback(URL, urlencode(PUBLISHED).encode())),
        (["12345"], signed(PUBLISHED | {"Digits": "1235"})),
        (["12345"], signed(PUBLISHED | {"More": ""})),
        (["12345"], signed(PUBLISHED | {"Digits": ["1234", "9"]})),
        (["12345"], signed(url=URL.replace("bar=2", "bar=3"))),
        (["12345"], signed(url=URL.replace("https", "http"))),
        (["12345"], signed(url="https://mycompany.com:port/")),
        (["12345"], Callback(URL, b"\xff=%ff", {"x-twilio-signature": SIGNATURE})),
        (["12345"], Callback(URL, b"a&" * 9999, {"x-twilio-signature": SIGNATURE})),
        (["12345"], signed(how="algorithm=HMAC_SHA256")),
        (["12345"], signed(how="algorithm=NONE")),
    ],
)
def test_a_changed_callback_is_refused(tokens: list[str], callback: Callback) -> None:
    assert not verified(tokens, callback, NOON)


def test_a_signature_made_with_an_empty_token_is_refused() -> None:
    empty = base64.b64encode(hmac.digest(b"", URL.encode(), "sha1")).decode()
    assert not verified(["", ""], signed({}, signature=empty), NOON)


def test_a_repeated_field_is_part_of_the_signature_each_time() -> None:
    signature = base64.b64encode(hmac.digest(b"12345", f"{URL}a1a2".encode(), "sha1")).decode()
    assert verified(["12345"], signed({"a": ["2", "1"]}, signature=signature), NOON)


def test_the_newer_algorithm_is_verified() -> None:
    text = URL + "".join(name + PUBLISHED[name] for name in sorted(PUBLISHED))
    signature = base64.b64encode(hmac.digest(b"shared", text.encode(), "sha256")).decode()
    assert verified(
        ["shared"], signed(signature=signature, how="key=k1,algorithm=HMAC_SHA256"), NOON
    )
    assert not verified(["shared"], signed(signature=signature), NOON)
