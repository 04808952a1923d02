"""The stand-ins check requests by the providers' OpenAPI documents, and their answers match
them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from lob_python.model.address_editable import AddressEditable
from lob_python.model.country_extended import CountryExtended
from lob_python.model.letter_editable import LetterEditable
from lob_python.model.lob_error import LobError
from twilio.rest.api.v2010.account.message import MessageInstance

from stand_ins.providers import Fault, Faults, Habits, Keys, StandIns
from stand_ins.providers.specification import document, wrong
from tests.cast.at_callbacks import Receiver, callbacks_of
from tests.cast.at_stand_ins import (
    ADDRESS,
    MESSAGING_SERVICE,
    ask,
    basic,
    letter,
    mail,
    messages,
    send_letter,
    send_mail,
    send_sms,
    sendgrid,
)
from tests.cast.at_stand_ins import (
    sms as sms_form,
)

PARIS = {"name": "ADA", "address_line1": "1 rue X", "address_zip": "75001", "address_country": "FR"}


@pytest.fixture
def on() -> Iterator[StandIns]:
    with StandIns() as stand_ins:
        yield stand_ins


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"subjet": "Invoice"}, "subjet"),
        (
            {"block": {"to": [{"email": "ada@acme.example", "nmae": "Ada"}]}},
            "personalizations.0.to.0.nmae",
        ),
        ({"headers": {"To": "eve@acme.example"}}, "headers.To"),
        ({"headers": {"X-Number": 7}}, "headers.X-Number"),
        ({"block": {"headers": {"reply-to": "x"}}}, "personalizations.0.headers.reply-to"),
        ({"reply_to": "sam@amber.example"}, "reply_to"),
        ({"reply_to": {"email": "sam"}}, "reply_to.email"),
        ({"from": {"email": "a..b@amber.example"}}, "from.email"),
        ({"block": {"to": [{"email": "ada@café.example"}]}}, "personalizations.0.to.0.email"),
        ({"attachments": []}, "attachments"),
        ({"attachments": [{"content": "no base64!", "filename": "a"}]}, "attachments.0.content"),
        ({"attachments": [{"content": "", "filename": "a"}]}, "attachments.0.content"),
        ({"attachments": [{"content": "YQ=="}]}, "attachments.0.filename"),
        (
            {"attachments": [{"content": "YQ==", "filename": "a", "disposition": "x"}]},
            "attachments.0.disposition",
        ),
        ({"block": {"custom_args": {"a": "x" * 10_000}}}, "personalizations.0.custom_args"),
        (
            {"content": [{"type": "text/plain", "value": "x"}, {"type": "text/html", "value": ""}]},
            "content.1.value",
        ),
        ({"tracking_settings": {"open_tracking": True}}, "tracking_settings.open_tracking"),
    ],
)
def test_sendgrid_refuses_a_mail_that_its_document_does_not_allow(
    on: StandIns, more: dict[str, Any], field: str
) -> None:
    status, _, body = sendgrid(on, "/v3/mail/send", mail(**more))
    assert (status, json.loads(body)["errors"][0]["field"]) == (400, field)
    assert on.ledger.entries() == []


def test_sendgrid_refuses_a_search_with_an_unknown_field(on: StandIns) -> None:
    assert sendgrid(on, "/v3/logs", {"query": "", "limt": 5})[0] == 400


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Text": "x"}, 20001),
        ({"ValidityPeriod": "0"}, 20422),
        ({"ValidityPeriod": "36001"}, 20422),
        ({"ValidityPeriod": "4h"}, 20422),
        ({"From": "", "MessagingServiceSid": "MG123"}, 21705),
        ({"From": "far too long a name"}, 21212),
        ({"SmartEncoded": "no"}, 20422),
        ({"StatusCallback": "/webhooks/twilio"}, 21609),
    ],
)
def test_twilio_refuses_an_sms_that_its_document_does_not_allow(
    on: StandIns, more: dict[str, Any], code: int
) -> None:
    status, _, body = send_sms(on, **more)
    assert (status, json.loads(body)["code"]) == (400, code)
    assert on.ledger.entries() == []


@pytest.mark.parametrize(
    "query", ["PageSize=0", "PageSize=1001", "Pagesize=5", "DateSent=today", "PageToken=PA1"]
)
def test_twilio_refuses_a_list_that_its_document_does_not_allow(on: StandIns, query: str) -> None:
    head = {"Authorization": basic(on.keys.twilio_account, on.keys.twilio_token)}
    status, _, body = ask(on.twilio_url, "GET", f"{messages(on)}?{query}", head)
    assert (status, json.loads(body)["code"]) == (400, 20001)


def test_twilio_has_no_account_with_a_malformed_sid() -> None:
    with pytest.raises(ValueError, match="SID"):
        StandIns(keys=Keys(twilio_account="AC1"))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"colour": True}, "colour"),
        ({"to": ADDRESS | {"zip": "12180"}}, "to.zip"),
        ({"to": PARIS | {"address_country": "XX"}}, "to.address_country"),
        ({"to": PARIS | {"address_country": "PR"}}, "to.address_country"),
        ({"to": PARIS | {"address_country": "France"}}, "to.address_country"),
        ({"to": PARIS | {"address_zip": None}}, "to.address_zip"),
        ({"to": {k: v for k, v in PARIS.items() if k != "address_zip"}}, "to"),
        ({"to": ADDRESS | {"address_state": "New York"}}, "to.address_state"),
        ({"to": ADDRESS | {"address_line1": "x" * 65}}, "to.address_line1"),
        ({"to": ADDRESS | {"address_line1": "x" * 30, "address_line2": "y" * 21}}, "together"),
        ({"address_placement": "middle"}, "address_placement"),
        ({"mail_type": "usps_standard", "extra_service": "certified"}, "extra_service"),
        ({"extra_service": "certified", "to": PARIS}, "certified"),
        ({"metadata": {"a": 'say "please"'}}, "metadata.a"),
        ({"metadata": {f"k{n}": "x" for n in range(21)}}, "metadata"),
        ({"color": "yes"}, "color"),
        ({"color": ["true"]}, "color"),
    ],
)
def test_lob_refuses_a_letter_that_its_document_does_not_allow(
    on: StandIns, more: dict[str, Any], says: str
) -> None:
    status, _, body = send_letter(on, **more)
    assert status == 422
    assert says in json.loads(body)["error"]["message"]
    assert on.ledger.entries() == []


def test_lob_refuses_two_idempotency_keys(on: StandIns) -> None:
    head = {"Authorization": basic(on.keys.lob, ""), "Content-Type": "application/json"}
    body = json.dumps(letter()).encode()

    def posted(path: str, **more: str) -> int:
        return ask(on.lob_url, "POST", f"/v1/letters{path}", head | more, body)[0]

    assert posted("?idempotency_key=a", **{"Idempotency-Key": "a"}) == 422
    assert posted("?idempotency=a") == 422
    assert posted("?idempotency_key=a") == posted("", **{"Idempotency-Key": "a"}) == 200
    assert on.ledger.accepted("d1") == 1


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "colour=red", "date_created[at]=2026"])
def test_lob_refuses_a_list_that_its_document_does_not_allow(on: StandIns, query: str) -> None:
    head = {"Authorization": basic(on.keys.lob, "")}
    assert ask(on.lob_url, "GET", f"/v1/letters?{query}", head)[0] == 422


def test_answers_of_the_stand_ins_match_the_documents(on: StandIns) -> None:
    def fits(provider: str, name: str, answer: tuple[int, Any, bytes]) -> Any:
        value = json.loads(answer[2])
        assert wrong(provider, name, value) == [], (provider, name)
        return value

    key = {"Authorization": f"Bearer {on.keys.sendgrid}"}
    twilio = {"Authorization": basic(on.keys.twilio_account, on.keys.twilio_token)}
    lob = {"Authorization": basic(on.keys.lob, "")}
    send_mail(on)
    lines = fits("sendgrid", "messages", sendgrid(on, "/v3/logs", {}))["messages"]
    detail = f"/v3/logs/{lines[0]['sg_message_id']}"
    fits("sendgrid", "message", ask(on.sendgrid_url, "GET", detail, key))
    fits("sendgrid", "error", sendgrid(on, "/v3/mail/send", {}))
    fits("sendgrid", "error", ask(on.sendgrid_url, "POST", "/v3/mail/send"))
    fits("sendgrid", "error", ask(on.sendgrid_url, "GET", "/v3/nothing", key))
    fits("twilio", "message", send_sms(on))
    fits("twilio", "message", send_sms(on, From="", MessagingServiceSid=MESSAGING_SERVICE))
    page = fits("twilio", "messages", ask(on.twilio_url, "GET", messages(on), twilio))
    assert len(page["messages"]) == 2
    fits("twilio", "error", send_sms(on, To="1"))
    fits("twilio", "error", ask(on.twilio_url, "GET", messages(on)))
    fits("twilio", "error", ask(on.twilio_url, "GET", "/2010-04-01/Nothing", twilio))
    first = fits("lob", "letter", send_letter(on, extra_service="certified"))
    fits("lob", "letter", send_letter(on, to=PARIS))
    assert fits("lob", "letters", ask(on.lob_url, "GET", "/v1/letters", lob))["count"] == 2
    fits("lob", "letter", ask(on.lob_url, "GET", f"/v1/letters/{first['id']}", lob))
    fits("lob", "error", send_letter(on, colour=True))
    fits("lob", "error", ask(on.lob_url, "GET", "/v1/letters"))
    fits("lob", "error", ask(on.lob_url, "GET", "/v1/nothing", lob))
    for fault in (Fault.LIMITED, Fault.ERROR_AFTER):
        on.faults = Faults.only(fault)
        fits("sendgrid", "error", send_mail(on))
        fits("twilio", "error", send_sms(on))
        fits("lob", "error", send_letter(on))


@pytest.mark.parametrize("failing", [0, 1])
def test_callbacks_of_the_stand_ins_match_the_documents(failing: int) -> None:
    habits = Habits(delay=0, twice=0, early=0, opened=1, failing=failing)
    _, ours = callbacks_of(habits, Receiver())
    seen = set()
    for path, _, body, _ in ours.taken:
        provider = path.split("/")[2]
        form = provider == "twilio"
        value = dict(parse_qsl(body.decode())) if form else json.loads(body)
        assert wrong(provider, "callback", value) == []
        seen.add(provider)
    assert seen == {"sendgrid", "twilio", "lob"}


def test_our_schemas_match_the_generated_client_libraries() -> None:
    """The libraries of Lob and Twilio are generated from the same documents, so this test shows
    when a new version of them has more fields."""
    lob, twilio = document("lob")["$defs"], document("twilio")["$defs"]
    codes = CountryExtended.allowed_values[("value",)].values()
    assert lob["country"]["enum"] == [code for code in codes if code]
    errors = lob["error"]["properties"]["error"]["properties"]["code"]["enum"]
    assert set(errors) == set(LobError.allowed_values[("code",)].values())
    placements = LetterEditable.allowed_values[("address_placement",)].values()
    assert set(lob["address_placement"]["enum"]) == set(placements)
    abroad = lob["address_abroad"]["properties"]
    for (name,), limit in AddressEditable.validations.items():
        own = lob["text40"] if "$ref" in abroad[name] else abroad[name]
        assert own["maxLength"] == limit["max_length"], name
    known = {v for k, v in vars(MessageInstance.Status).items() if k.isupper()}
    assert set(twilio["status"]["enum"]) == known
    form = urlencode(sms_form())  # as the tests of the stand-ins send it
    assert wrong("twilio", "sms", dict(parse_qsl(form))) == []
