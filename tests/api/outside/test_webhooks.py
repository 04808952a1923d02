"""Callbacks: signed, stored byte for byte and nothing more; and the short links in messages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI
from httpx import Response
from sqlmodel import col, select
from twilio.request_validator import RequestValidator

from activities.callbacks import Callbacks
from activities.outbox_channels import outbox_channels
from activities.sending import Sending
from api.outside.webhooks import Signers
from backoffice.delivery.outgoing import Outgoing
from backoffice.people import provider_accounts
from backoffice.people.vault import Vault, new_secret_key
from providers.outbox.callbacks import simulated
from providers.registry import readers
from stand_ins.office import Office, acme_body, invoice_body
from store import tables as t
from store.engine import connect, transaction
from store.unit import Unit
from workflows.contracts import SendInput

PUBLIC = "https://dunning.example"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
Signed = Mapping[str, str]
#: From the url and the body to the headers that sign them.
Sign = Callable[[str, bytes], Signed]


class Mine:
    """A key pair of SendGrid's, and how it signs."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public = base64.b64encode(der).decode()

    def __call__(self, url: str, body: bytes) -> Signed:
        stamp = str(int(time.time()))
        signature = self._key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        }


def of_twilio(token: str) -> Sign:
    def sign(url: str, body: bytes) -> Signed:
        form = dict(pair.split("=") for pair in body.decode().split("&"))
        signature = RequestValidator(token).compute_signature(url, form)
        return {**FORM, "X-Twilio-Signature": signature}

    return sign


def of_lob(secret: str) -> Sign:
    def sign(url: str, body: bytes) -> Signed:
        stamp = str(int(time.time() * 1000))
        signed = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
        return {"Lob-Signature": signed.hexdigest(), "Lob-Signature-Timestamp": stamp}

    return sign


OLD, NEW, STRANGER = Mine(), Mine(), Mine()
KEYS = {
    "sendgrid": (OLD.public, NEW.public),
    "twilio": ("old-token", "new-token"),
    "lob": ("old-secret", "new-secret"),
    "outbox": ("old-key", "new-key"),
}
#: By provider: both keys of a rotation, and one that is nobody's.
SIGNS: dict[str, tuple[Sign, Sign, Sign]] = {
    "sendgrid": (OLD, NEW, STRANGER),
    "twilio": (of_twilio("old-token"), of_twilio("new-token"), of_twilio("no-token")),
    "lob": (of_lob("old-secret"), of_lob("new-secret"), of_lob("no-secret")),
}
#: Where each provider calls, and with what: not all of it is text or JSON.
CALLS = [
    ("sendgrid", "/webhooks/sendgrid", b'[ {"event": "open"} ]\r\n'),
    ("sendgrid", "/webhooks/sendgrid/inbound", b"--x\r\n\x00\xff\xfe\r\n--x--\r\n"),
    ("twilio", f"/webhooks/twilio/status/{uuid.uuid4()}", b"MessageSid=SM1&MessageStatus=sent"),
    ("twilio", "/webhooks/twilio/inbound", b"MessageSid=SM1&Body=STOP"),
    ("lob", "/webhooks/lob", b'{"event_type": {"id": "letter.mailed"} }  \n'),
]


@pytest.fixture
def state(app: FastAPI) -> Iterator[Any]:
    """The API with keys in the middle of a rotation, as the providers know it."""
    before = app.state.signers
    app.state.signers = Signers(KEYS, Vault((new_secret_key(),)), PUBLIC)
    yield app.state
    app.state.signers = before


def post(office: Office, path: str, body: bytes, headers: Signed) -> Response:
    answer: Response = office.client.post(path, content=body, headers=dict(headers))
    return answer


def stored(office: Office) -> list[t.Callback]:
    """Those that wait to be taken in; afterwards none does."""
    with transaction(office.engine) as session:
        rows = list(session.exec(select(t.Callback).where(t.Callback.outcome == "")))
        for row in rows:
            session.delete(row)
        return rows


@pytest.fixture(autouse=True)
def _inbox(office: Office) -> None:
    stored(office)


def test_a_good_signature_is_stored_as_it_came(
    office: Office, state: Any, subtests: pytest.Subtests
) -> None:
    for provider, path, body in CALLS:
        with subtests.test(path=path):
            headers = {**SIGNS[provider][0](PUBLIC + path, body), "Authorization": "Bearer x"}
            answer = post(office, path, body, headers)
            if provider == "twilio":
                assert (answer.status_code, answer.text) == (200, "<Response/>")
                assert answer.headers["content-type"].startswith("text/xml")
            else:
                assert (answer.status_code, answer.content) == (204, b"")
            (row,) = stored(office)
            assert (row.provider, row.organisation_id, row.url) == (provider, None, PUBLIC + path)
            assert row.body == body
            assert set(row.headers) <= {"content-type", "i-twilio-idempotency-token"}


def test_nothing_else_is_done_before_the_answer(office: Office, state: Any) -> None:
    path = sms(office)
    before = office.ben.get(path)
    report = simulated("old-key", "", before["delivery"]["id"], "bounced", datetime.now(UTC))
    answer = post(office, "/webhooks/outbox", report.body, report.headers)
    assert answer.status_code == 204
    assert office.ben.get(path) == before
    assert [row.body for row in stored(office)] == [report.body]


def test_both_keys_of_a_rotation_are_good(office: Office, state: Any) -> None:
    for provider, path, body in CALLS:
        for sign, good in zip(SIGNS[provider], (True, True, False), strict=True):
            answer = post(office, path, body, sign(PUBLIC + path, body))
            assert answer.is_success is good, (path, answer.text)
    assert len(stored(office)) == 2 * len(CALLS)
    for key, good in (("old-key", True), ("new-key", True), ("no-key", False)):
        report = simulated(key, "", str(uuid.uuid4()), "opened", datetime.now(UTC))
        answer = post(office, "/webhooks/outbox", report.body, report.headers)
        assert answer.is_success is good


def test_another_signature_is_refused_and_nothing_is_stored(
    office: Office, state: Any, subtests: pytest.Subtests
) -> None:
    for provider, path, body in CALLS:
        with subtests.test(path=path):
            good = SIGNS[provider][0](PUBLIC + path, body)
            kind = {name: v for name, v in good.items() if name == "Content-Type"}
            empty = {name: v if name in kind else "" for name, v in good.items()}
            garbage = {name: v if name in kind else "é!" for name, v in good.items()}
            altered = body.replace(b"S", b"T").replace(b"x", b"y").replace(b"e", b"f")
            assert altered != body
            for headers, content in (
                (kind, body), (empty, body), (garbage, body), (good, altered),
                (good, b""), (SIGNS[provider][2](PUBLIC + path, body), body),
            ):  # fmt: skip
                raw = {k.encode(): v.encode("latin-1") for k, v in headers.items()}
                answer = office.client.post(path, content=content, headers=raw)
                assert answer.status_code == 401, headers
                assert answer.headers["content-type"] == "application/problem+json"
    report = simulated("old-key", "", "x", "opened", datetime(2025, 3, 4, tzinfo=UTC))
    assert post(office, "/webhooks/outbox", report.body, report.headers).status_code == 401
    assert stored(office) == []


def test_without_a_key_it_is_closed(office: Office, state: Any) -> None:
    state.signers = Signers({"lob": ()}, Vault(), PUBLIC)
    nobody: Sign = of_lob("")
    for provider, path, body in [*CALLS, ("outbox", "/webhooks/outbox", b"{}")]:
        sign = SIGNS[provider][0] if provider in SIGNS else nobody
        answer = post(office, path, body, sign(PUBLIC + path, body))
        assert (answer.status_code, "closed" in answer.text) == (503, True), path
    assert stored(office) == []


def own_account(office: Office, state: Any, provider: str, values: dict[str, Any]) -> None:
    with transaction(office.engine) as session:
        provider_accounts.put(
            Unit(session, office.id, by="Ada"), state.signers.vault, provider, values, {}
        )


def test_the_key_of_an_organisation_is_good_at_its_own_address_alone(
    office: Office, state: Any
) -> None:
    other = Office(office.engine, office.client)
    mine = Mine()
    own_account(office, state, "sendgrid", {"api_key": "SG.x", "webhook_keys": [mine.public]})
    sender = {"line1": "1", "city": "X", "region": "CA", "postal_code": "94107", "country": "US"}
    own_account(office, state, "lob", {"api_key": "live_x", "sender": sender, "sender_name": "X",
                                       "webhook_secrets": ["own-secret"]})  # fmt: skip
    own_account(office, state, "twilio", {"account_sid": "AC1", "auth_token": "own-token",
                                          "sender": "Amber"})  # fmt: skip
    signs: dict[str, Sign] = {
        "sendgrid": mine,
        "lob": of_lob("own-secret"),
        "twilio": of_twilio("own-token"),
    }
    for provider, end in (("sendgrid", ""), ("sendgrid", "/inbound"), ("lob", ""),
                          ("twilio", "/inbound")):  # fmt: skip
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
    own_account(office, state, "twilio", {"account_sid": "AC1", "auth_token": "own-token",
                                          "sender": "Amber"})  # fmt: skip
    assert post(office, path, body, theirs).status_code == 200
    # It may have left before they had an account of their own.
    assert post(office, path, body, ours).status_code == 200
    assert [row.organisation_id for row in stored(office)] == [None, office.id, None]


def test_the_address_that_is_signed_is_the_configured_one(office: Office, state: Any) -> None:
    """Not what a proxy, or a caller, says it is; and to the letter, the query included."""
    body = b"MessageSid=SM1&Body=x"
    path = "/webhooks/twilio/inbound?a=%C3%A9&b=%2F&c"
    sign = of_twilio("old-token")
    for host in ("dunning.example", "evil.example", "10.0.0.1:8080"):
        more = {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "http"}
        answer = post(office, path, body, {**sign(PUBLIC + path, body), **more})
        assert answer.status_code == 200
        for address in (f"https://{host}", f"http://{host}"):
            if address != PUBLIC:
                wrong = {**sign(address + path, body), **more}
                assert post(office, path, body, wrong).status_code == 401
    assert {row.url for row in stored(office)} == {PUBLIC + path}


def test_what_is_too_large_is_refused_unread(office: Office, state: Any) -> None:
    path, sign = "/webhooks/lob", SIGNS["lob"][0]
    most = b"x" * 2_000_000
    assert post(office, path, most, {}).status_code == 401  # read whole, and not signed
    more = most + b"x"
    signed = dict(sign(PUBLIC + path, more))
    assert post(office, path, more, signed).status_code == 413
    chunks = iter([most, b"x"])  # without a length in the header
    assert office.client.post(path, content=chunks, headers=signed).status_code == 413
    assert stored(office) == []


def test_only_posts(office: Office, state: Any) -> None:
    for _, path, _ in CALLS:
        assert office.client.get(path).status_code == 405
    assert office.client.post("/webhooks/nobody", content=b"").status_code == 404


# The short links.

URL = "https://pay.amber.example/2025-001?a=1&b=%C3%A9#top"
BROWSER = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"}
PREVIEWS = [
    "WhatsApp/2.23", "facebookexternalhit/1.1", "Slackbot-LinkExpanding 1.0", "TelegramBot",
    "Mozilla/5.0 (compatible; Googlebot/2.1)", "curl/8", "Mozilla/5.0 Barracuda Sentinel",
    "SkypeUriPreview", "Twitterbot/1.0", "python-requests/2", "",
]  # fmt: skip


def sms(office: Office) -> str:
    """Acme was sent an SMS with a link to its invoice. Answers the path of the action."""
    office.ada.does("PUT", "/plans/Standard", {"name": "Standard", "steps": [
        {"key": "sms", "name": "A short one", "type": "sms", "automatic": True,
         "trigger": {"from": "due", "days": 1}, "body": "See {{ invoice.url }}"},
    ]})  # fmt: skip
    contact = {"external_id": "eve", "name": "Eve", "phone": "+33 6 12 34 56 78"}
    office.billing.does("PUT", "/customers/C-1", acme_body() | {"contacts": [contact]})
    office.billing.does("PUT", "/invoices/INV-1", invoice_body(url=URL))
    office.at("2025-03-04 08:30")
    assert office.review() == "send"
    channels = outbox_channels(office.engine, None)
    sending = Sending(
        office.engine,
        Outgoing(channels, channels, lambda: office.now, public_url=PUBLIC),
    )
    customer = office.ben.get("/customers/C-1")["id"]
    sending.send_sms(SendInput(str(office.id), customer, office.now, "sms"))
    (action,) = office.ben.get("/actions", scope="all", automatic=True)["items"]
    return f"/actions/{action['id']}"


def link_in(office: Office, path: str) -> str:
    text: str = office.ben.get(path)["message"]["text"]
    return text.removeprefix(f"See {PUBLIC}")


def fate(office: Office, path: str) -> tuple[str, str | None]:
    (recipient,) = office.ben.get(path)["delivery"]["recipients"]
    return recipient["status"], recipient["clicked_at"]


def follow(office: Office, link: str, method: str = "GET", **headers: str) -> Response:
    raw = {**BROWSER, **headers}
    answer: Response = office.client.request(method, link, headers=raw)
    return answer


def counted(office: Office) -> None:
    """The worker has taken in what was stored."""
    Callbacks(office.engine, "", readers()).take_batch()


def opened(office: Office) -> list[str]:
    with transaction(office.engine) as session:
        rows = session.exec(
            select(t.TimelineEntry)
            .where(t.TimelineEntry.organisation_id == office.id)
            .where(col(t.TimelineEntry.kind).startswith("message_"))
        )
        return [row.kind for row in rows]


def test_a_link_leads_to_the_page_and_counts_once(office: Office, state: Any) -> None:
    path = sms(office)
    link = link_in(office, path)
    assert link.startswith("/l/")
    assert fate(office, path) == ("sent", None)
    answer = follow(office, link)
    assert (answer.status_code, answer.headers["location"]) == (302, URL)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert fate(office, path) == ("sent", None)  # not in the request
    counted(office)
    once = fate(office, path)
    assert (once[0], once[1] is not None) == ("opened", True)
    office.at("2025-03-05 10:00")
    assert follow(office, link).status_code == 302
    assert clicks(office) == []  # nothing is left to be learnt
    assert fate(office, path) == once
    assert opened(office) == ["message_clicked"]
    assert office.ben.get(path)["status"] == "done"


def clicks(office: Office) -> list[t.Callback]:
    """Those that are not counted yet."""
    with transaction(office.engine) as session:
        rows = session.exec(
            select(t.Callback).where(t.Callback.provider == "link", t.Callback.outcome == "")
        )
        return list(rows)


def test_a_link_opens_while_somebody_holds_the_customer_and_counts_afterwards(
    office: Office, state: Any
) -> None:
    path = sms(office)
    link = link_in(office, path)
    state.lock_timeout_ms = 50
    with office.engine.connect() as held, held.begin():
        held.execute(sa.text("SELECT 1 FROM customer FOR UPDATE"))
        answer = follow(office, link)
        assert (answer.status_code, answer.headers["location"]) == (302, URL)
        assert len(clicks(office)) == 1  # it is kept before the answer leaves
    counted(office)
    assert fate(office, path)[0] == "opened"
    assert opened(office) == ["message_clicked"]
    assert clicks(office) == []


def test_a_link_opens_while_the_database_takes_no_writing(
    office: Office, state: Any, caplog: pytest.LogCaptureFixture
) -> None:
    link = link_in(office, sms(office))
    pooled = connect(office.engine.url.render_as_string(hide_password=False), pool_size=1)
    with pooled.connect() as connection:
        connection.execute(sa.text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
        connection.commit()
    state.engine = pooled
    answer = follow(office, link)
    assert (answer.status_code, answer.headers["location"]) == (302, URL)
    assert "is not counted" in caplog.text
    pooled.dispose()


def test_a_program_that_makes_a_preview_has_read_nothing(office: Office, state: Any) -> None:
    path = sms(office)
    link = link_in(office, path)
    for agent in PREVIEWS:
        answer = follow(office, link, **{"User-Agent": agent})
        assert (answer.status_code, answer.headers["location"]) == (302, URL)
    head = follow(office, link, "HEAD")
    assert (head.status_code, head.headers["location"]) == (302, URL)
    assert fate(office, path) == ("sent", None)
    assert opened(office) == []


def test_the_target_is_never_what_the_address_says(office: Office, state: Any) -> None:
    link = link_in(office, sms(office))
    for more in ("?url=https://evil.example", "?to=//evil.example", "?target=https://evil.example"):
        assert follow(office, link + more).headers["location"] == URL
    for unknown in ("/l/preview-preview-", f"{link}x", link[:-1], "/l/https:%2F%2Fevil.example",
                    f"{link}%00", "/l/" + "x" * 64, "/l/%F0%9F%98%80"):  # fmt: skip
        answer = follow(office, unknown)
        assert (answer.status_code, "location" in answer.headers) in ((404, False), (422, False))
    assert follow(office, f"{link}/https://evil.example").status_code == 404
    assert follow(office, link, "POST").status_code == 405


def test_a_good_link_opens_however_many_unknown_ones_others_tried(
    office: Office, state: Any
) -> None:
    link = link_in(office, sms(office))
    for n in range(25):
        assert follow(office, f"/l/guess-{n}").status_code == 404
    assert follow(office, link).status_code == 302


def test_a_body_that_is_no_json_is_not_our_business_yet(office: Office, state: Any) -> None:
    """The reader judges, later: a provider whose callback is refused stops calling."""
    for body in (b"", b"{", b"\x00", json.dumps({"a": "\ud800"}).encode()):
        headers = SIGNS["lob"][1](PUBLIC, body)
        assert post(office, "/webhooks/lob", body, headers).status_code == 204
    assert len(stored(office)) == 4
