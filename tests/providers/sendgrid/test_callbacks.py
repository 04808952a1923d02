"""The signature of SendGrid's callbacks."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from providers.callback import Callback
from providers.sendgrid.callbacks import verified
from tests.cast.sendgrid_callbacks import EVENTS, form

# The test vector of SendGrid's own library.
KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+"
    "2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
OTHER_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo"
    "7aNDthvj+y7GjUuFDb/R1NGe1OPzpA=="
)
SIGNATURE = (
    "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtE"
    "ZtM="
)
STAMP = "1600112502"
BODY = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]'
    b"\r\n"
)
SIGNED_AT = datetime.fromtimestamp(int(STAMP), UTC)
SIGNATURE_HEADER = "x-twilio-email-event-webhook-signature"
STAMP_HEADER = "x-twilio-email-event-webhook-timestamp"


def signed(
    body: bytes = BODY, signature: str | None = SIGNATURE, stamp: str | None = STAMP
) -> Callback:
    headers = {SIGNATURE_HEADER: signature, STAMP_HEADER: stamp}
    return Callback(EVENTS, body, {k: v for k, v in headers.items() if v is not None})


def test_the_published_signature_is_valid() -> None:
    assert verified([KEY], signed(), SIGNED_AT)
    assert verified((OTHER_KEY, KEY), signed(), SIGNED_AT), "the second one of a rotation"
    assert verified([f" {KEY}\n"], signed(), SIGNED_AT), "as it is pasted"


@pytest.mark.parametrize(
    "callback",
    [
        signed(BODY.rstrip()),
        signed(json.dumps(json.loads(BODY)).encode() + b"\r\n"),
        signed(b""),
        signed(stamp="1600112503"),
        signed(stamp=None),
        signed(stamp=""),
        signed(stamp="timestamp"),
        signed(stamp=" 1600112502"),
        signed(stamp="١٦٠٠١١٢٥٠٢"),
        signed(stamp="9" * 5000),
        signed(signature=None),
        signed(signature=""),
        signed(signature="%%% no base64 %%%"),
        signed(signature="é"),
        signed(signature=base64.b64encode(b"no signature").decode()),
        signed(signature=SIGNATURE[:-8]),
    ],
)
def test_a_changed_callback_is_refused(callback: Callback) -> None:
    assert verified([KEY], callback, SIGNED_AT) is False


@pytest.mark.parametrize(
    "keys",
    [[], [""], [OTHER_KEY], ["no key"], [KEY[:-8]], ["é"], ["-----BEGIN PUBLIC KEY-----"]],
)
def test_a_callback_signed_with_another_key_is_refused(keys: list[str]) -> None:
    assert verified(keys, signed(), SIGNED_AT) is False
    assert verified([*keys, KEY], signed(), SIGNED_AT) is True, "a bad key spoils no good one"


@pytest.mark.parametrize(
    ("later", "good"),
    [
        (timedelta(hours=24, minutes=9), True),
        (timedelta(hours=24, minutes=11), False),
        (timedelta(minutes=-4), True),
        (timedelta(minutes=-6), False),
    ],
)
def test_a_signature_is_valid_for_a_day(later: timedelta, good: bool) -> None:
    assert verified([KEY], signed(), SIGNED_AT + later) is good


def test_the_validity_of_a_signature_can_be_shorter() -> None:
    later = SIGNED_AT + timedelta(minutes=6)
    assert not verified([KEY], signed(), later, max_age=timedelta(minutes=5))


def test_a_signed_email_may_contain_bytes() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    body = form(text="fünf".encode("latin-1"))[0]
    signature = private.sign(STAMP.encode() + body, ec.ECDSA(hashes.SHA256()))
    callback = signed(body, base64.b64encode(signature).decode())
    assert verified([KEY, base64.b64encode(public).decode()], callback, SIGNED_AT)
