"""Callbacks about an organisation's own account at a provider."""

from __future__ import annotations

import uuid
from typing import Any

from stand_ins.office import Office
from tests.cast.short_links import sms
from tests.cast.signed_callbacks import (
    PUBLIC,
    SIGNS,
    KeyPair,
    Sign,
    of_lob,
    of_twilio,
    own_account,
    post,
    stored,
)

TWILIO = {"account_sid": "AC1", "auth_token": "own-token", "sender": "Amber"}


def own_accounts(office: Office, state: Any) -> dict[str, Sign]:
    """The office has an account at every provider. Answers how each signs."""
    mine = KeyPair()
    own_account(office, state, "sendgrid", {"api_key": "SG.x", "webhook_keys": [mine.public]})
    sender = {"line1": "1", "city": "X", "region": "CA", "postal_code": "94107", "country": "US"}
    own_account(
        office,
        state,
        "lob",
        {
            "api_key": "live_x",
            "sender": sender,
            "sender_name": "X",
            "webhook_secrets": ["own-secret"],
        },
    )
    own_account(office, state, "twilio", TWILIO)
    return {
        "sendgrid": mine,
        "lob": of_lob("own-secret"),
        "twilio": of_twilio("own-token"),
    }


def test_the_key_of_an_organisation_verifies_only_at_its_own_address(
    office: Office, state: Any
) -> None:
    other = Office(office.engine, office.client)
    signs = own_accounts(office, state)
    for provider, end in (
        ("sendgrid", ""),
        ("sendgrid", "/inbound"),
        ("lob", ""),
        ("twilio", "/inbound"),
    ):
        body = b"MessageSid=SM1&Body=x"
        for place, sign, status in (
            (f"/{office.id}", signs[provider], 2),
            (f"/{office.id}", SIGNS[provider][0], 4),  # the installation's is not good here
            (f"/{other.id}", signs[provider], 5),  # without an account of its own: closed
            (f"/{uuid.uuid4()}", signs[provider], 5),
            ("/nobody", signs[provider], 4),
            ("", signs[provider], 4),  # nor this one at the installation's address
        ):
            path = f"/webhooks/{provider}{place}{end}"
            answer = post(office, path, body, sign(PUBLIC + path, body))
            assert answer.status_code // 100 == status, (path, answer.text)
        (row,) = stored(office)
        assert (row.provider, row.organisation_id) == (provider, office.id)


def test_a_report_on_an_sms_is_signed_by_the_account_that_sent_it(
    office: Office, state: Any
) -> None:
    delivery = office.ben.get(sms(office))["delivery"]["id"]
    path, body = f"/webhooks/twilio/status/{delivery}", b"MessageSid=SM1&MessageStatus=sent"
    ours = of_twilio("old-token")(PUBLIC + path, body)
    theirs = of_twilio("own-token")(PUBLIC + path, body)
    assert post(office, path, body, theirs).status_code == 401
    assert post(office, path, body, ours).status_code == 200
    own_account(office, state, "twilio", TWILIO)
    assert post(office, path, body, theirs).status_code == 200
    # It may have left before they had an account of their own.
    assert post(office, path, body, ours).status_code == 200
    assert [row.organisation_id for row in stored(office)] == [None, office.id, None]
