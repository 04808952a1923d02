"""The stand-ins are as strict as the providers' own documents, and speak as these say; what our
channels ask is what the documents allow."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from lob_python.model.address_editable import AddressEditable
from lob_python.model.country_extended import CountryExtended
from lob_python.model.letter_editable import LetterEditable
from lob_python.model.lob_error import LobError
from twilio.rest.api.v2010.account.message import MessageInstance

from dunning.plan import ActionType
from messages.message import Attachment, Message, Postal, Recipient, Role
from providers.lob.account import LobAccount
from providers.lob.send import Lob
from providers.port import Accepted, Found
from providers.sendgrid.account import SendGridAccount
from providers.sendgrid.send import SendGrid
from providers.twilio.account import TwilioAccount
from providers.twilio.send import Twilio
from stand_ins.providers import Fault, Faults, Habits, Keys, StandIns
from stand_ins.providers.specification import document, wrong
from tests.cast.letters import ADA, BEN, email, sms
from tests.providers.test_stand_ins import (
    ADDRESS,
    PUBLIC,
    Ours,
    ask,
    basic,
    callbacks_of,
    letter,
    mail,
    messages,
    send_letter,
    send_mail,
    send_sms,
    sendgrid,
)
from tests.providers.test_stand_ins import (
    sms as sms_form,
)

SERVICE = "MG" + "0" * 32
SINCE = datetime.now(UTC) - timedelta(hours=1)
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


def test_lob_refuses_a_key_in_the_header_and_another_in_the_query(on: StandIns) -> None:
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


def test_every_answer_of_the_stand_ins_is_as_the_documents_say(on: StandIns) -> None:
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
    fits("twilio", "message", send_sms(on, From="", MessagingServiceSid=SERVICE))
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
def test_every_callback_of_the_stand_ins_is_as_the_documents_say(failing: int) -> None:
    habits = Habits(delay=0, twice=0, early=0, opened=1, failing=failing)
    _, ours = callbacks_of(habits, Ours())
    seen = set()
    for path, _, body, _ in ours.taken:
        provider = path.split("/")[2]
        form = provider == "twilio"
        value = dict(parse_qsl(body.decode())) if form else json.loads(body)
        assert wrong(provider, "callback", value) == []
        seen.add(provider)
    assert seen == {"sendgrid", "twilio", "lob"}


def emails() -> Iterator[Message]:
    """Every kind of email that we send."""
    yield email()
    yield email(html=None, sender_name="", reply_to="", recipients=(ADA,))
    yield email(
        recipients=(ADA, BEN, Recipient(Role.BCC, "cfo@amber.example"), BEN),
        headers=(("List-Unsubscribe", "<mailto:stop@amber.example>"),),
        attachments=(Attachment("INV-1.pdf", "application/pdf", b"%PDF-1.7\x00\xff"),),
        open_tracking=True,
    )


@pytest.mark.parametrize("inbound", ["", "replies.amber.example"])
def test_sendgrid_takes_every_email_of_ours_and_finds_it_again(on: StandIns, inbound: str) -> None:
    account = SendGridAccount(on.keys.sendgrid, on.sendgrid_url, inbound_domain=inbound)
    channel = SendGrid(account)
    for n, message in enumerate(emails()):
        assert isinstance(channel.send(message), Accepted), n
        assert isinstance(channel.look_up(message, SINCE), Found), n
    last = on.ledger.entries()[-1].body
    assert base64.b64decode(last["attachments"][0]["content"]) == b"%PDF-1.7\x00\xff"


@pytest.mark.parametrize("sender", ["+15005550006", "12345", "Amber Sons", SERVICE])
def test_twilio_takes_an_sms_of_ours_from_every_kind_of_sender_and_finds_it_again(
    on: StandIns, sender: str
) -> None:
    key = on.keys
    account = TwilioAccount(key.twilio_account, key.twilio_token, sender=sender, host=on.twilio_url)
    channel = Twilio(account, PUBLIC)
    assert isinstance(channel.send(sms()), Accepted)
    assert isinstance(channel.look_up(sms(), SINCE), Found)


TROY = Postal("1 King St", "Troy", "US", "Suite 2", "12180-1234", "NY")
HOMES = [
    TROY,
    Postal("1 rue du Roi", "Paris", "FR", postal_code="75001"),
    Postal("1 King St", "Springfield", "us", postal_code="12345", region="il"),
]


@pytest.mark.parametrize("home", HOMES, ids=lambda home: home.city)
@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("mail_type", ["usps_first_class", "usps_standard"])
def test_lob_takes_every_letter_of_ours_and_finds_it_again(
    on: StandIns, home: Postal, registered: bool, mail_type: str
) -> None:
    account = LobAccount(
        on.keys.lob, TROY, "Amber & Sons", host=f"{on.lob_url}/v1", mail_type=mail_type
    )
    to = Recipient(Role.TO, f"Ada\n{home.line1}\n{home.city}", "Ada " + "Byron " * 9, postal=home)
    message = email(
        channel=ActionType.LETTER,
        html=None,
        recipients=(to,),
        registered=registered,
        text="Please pay.",
    )
    channel = Lob(account)
    result = channel.send(message)
    assert isinstance(result, Accepted), result
    assert channel.look_up(message, SINCE) == Found(result.provider_id)


def test_our_schemas_say_what_the_clients_made_from_the_documents_say() -> None:
    """The libraries of Lob and Twilio are generated from the same documents; a new version of one
    that knows more shows here."""
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
    form = urlencode(sms_form())  # what the tests of the stand-ins send
    assert wrong("twilio", "sms", dict(parse_qsl(form))) == []
