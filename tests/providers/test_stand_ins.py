"""The stand-ins of the providers do what the fault benchmark believes of them."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from sendgrid.helpers.eventwebhook import EventWebhook
from twilio.request_validator import RequestValidator

from stand_ins.providers import Fault, Faults, Habits, StandIns
from stand_ins.providers.reports import Sender

HANG = 30  # seconds; ends with the stand-ins, so no test takes as long
PATIENCE = 0.1  # of the client
QUICK = Habits(delay=0, twice=0, early=0, opened=0)
PUBLIC = "https://dunning.example"
CREATED_AFTER = {
    Fault.DROP_AFTER,
    Fault.HANG_AFTER,
    Fault.ERROR_AFTER,
    Fault.CUT_AFTER,
    Fault.GARBAGE_AFTER,
}
ADDRESS = {"name": "ADA", "address_line1": "1 King St", "address_city": "Troy"}
ADDRESS |= {"address_state": "NY", "address_zip": "12180"}


def ask(
    url: str,
    method: str,
    path: str,
    head: dict[str, str] | None = None,
    body: bytes = b"",
    timeout: float = 5,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    address = urlsplit(url)
    peer = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    with contextlib.closing(peer):
        peer.request(method, path, body, head or {})
        response = peer.getresponse()
        return response.status, response.headers, response.read()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def mail(delivery: str = "d1", **other: Any) -> dict[str, Any]:
    block = {
        "to": [{"email": "ada@acme.example"}],
        "cc": [{"email": "ben@acme.example"}],
        "custom_args": {"dunning_delivery_id": delivery},
    }
    return {
        "personalizations": [block | other.pop("block", {})],
        "from": {"email": "sam@amber.example"},
        "subject": "Invoice",
        "content": [{"type": "text/plain", "value": "Please pay."}],
    } | other


def sendgrid(on: StandIns, path: str, value: Any, timeout: float = 5) -> tuple[int, Any, bytes]:
    return ask(
        on.sendgrid_url,
        "POST",
        path,
        {"Authorization": f"Bearer {on.keys.sendgrid}", "Content-Type": "application/json"},
        json.dumps(value).encode(),
        timeout,
    )


def send_mail(on: StandIns, delivery: str = "d1", timeout: float = 5) -> tuple[int, Any, bytes]:
    return sendgrid(on, "/v3/mail/send", mail(delivery), timeout)


def sms(delivery: str = "d1", **other: str) -> dict[str, str]:
    callback = f"{PUBLIC}/webhooks/twilio/status/{delivery}"
    form = {"To": "+33612345678", "From": "+15005550006", "Body": "Please pay."}
    return form | {"StatusCallback": callback} | other


def messages(on: StandIns) -> str:
    return f"/2010-04-01/Accounts/{on.keys.twilio_account}/Messages.json"


def send_sms(
    on: StandIns, delivery: str = "d1", timeout: float = 5, **other: str
) -> tuple[int, Any, bytes]:
    head = {"Authorization": basic(on.keys.twilio_account, on.keys.twilio_token)}
    head["Content-Type"] = "application/x-www-form-urlencoded"
    body = urlencode(sms(delivery, **other)).encode()
    return ask(on.twilio_url, "POST", messages(on), head, body, timeout)


def letter(delivery: str = "d1", **other: Any) -> dict[str, Any]:
    return {
        "to": ADDRESS,
        "from": ADDRESS,
        "file": "%PDF-1.7",
        "color": False,
        "use_type": "operational",
        "metadata": {"dunning_delivery_id": delivery},
    } | other


def send_letter(
    on: StandIns, delivery: str = "d1", timeout: float = 5, key: str = "", **other: Any
) -> tuple[int, Any, bytes]:
    head = {"Authorization": basic(on.keys.lob, ""), "Content-Type": "application/json"}
    if key:
        head["Idempotency-Key"] = key
    body = json.dumps(letter(delivery, **other)).encode()
    return ask(on.lob_url, "POST", "/v1/letters", head, body, timeout)


SENDS = {"sendgrid": send_mail, "twilio": send_sms, "lob": send_letter}
SUCCESS = {"sendgrid": 202, "twilio": 201, "lob": 200}


class Ours:
    """Our side: takes callbacks, answers with the statuses it is given, then with 200."""

    def __init__(self, statuses: Sequence[int] = ()) -> None:
        self.taken: list[tuple[str, dict[str, str], bytes, float]] = []
        self._left = list(statuses)
        self._lock = threading.Lock()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        with self._lock:
            self.taken.append((path, headers, body, time.monotonic()))
            return self._left.pop(0) if self._left else 200


@contextlib.contextmanager
def listening(ours: Ours) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(ours.take(self.path, dict(self.headers), body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing on the console."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("provider", SENDS)
def test_in_good_health_a_message_is_accepted_once_and_written_down(provider: str) -> None:
    with StandIns() as on:
        status, headers, body = SENDS[provider](on, "d7")
        (entry,) = on.ledger.of("d7")
    assert status == SUCCESS[provider]
    assert on.ledger.accepted("d7") == 1
    assert on.ledger.accepted("d8") == 0
    assert entry.provider == provider
    if provider == "sendgrid":
        assert (entry.provider_id, body) == (headers["X-Message-Id"], b"")
        assert entry.recipients == ("ada@acme.example", "ben@acme.example")
    elif provider == "twilio":
        told = json.loads(body)
        assert (told["sid"], told["status"]) == (entry.provider_id, "queued")
        assert told["date_sent"] is None
        assert entry.recipients == ("+33612345678",)
    else:
        told = json.loads(body)
        assert (told["id"], told["object"]) == (entry.provider_id, "letter")
        assert told["metadata"] == {"dunning_delivery_id": "d7"}


def test_the_same_message_again_is_a_second_one_where_there_is_no_key() -> None:
    with StandIns() as on:
        for _ in range(2):
            send_mail(on, "mail")
            send_sms(on, "sms")
    assert on.ledger.counts() == {"mail": 2, "sms": 2}


@pytest.mark.parametrize("provider", SENDS)
@pytest.mark.parametrize("fault", [f for f in Fault if f is not Fault.OK])
def test_each_fault_is_what_its_name_says(provider: str, fault: Fault) -> None:
    send = SENDS[provider]
    with StandIns(faults=Faults.only(fault, hang=HANG)) as on:
        before = time.time()
        if fault in {Fault.HANG_BEFORE, Fault.HANG_AFTER}:
            with pytest.raises(TimeoutError):
                send(on, timeout=PATIENCE)
        elif fault in {Fault.DROP_BEFORE, Fault.DROP_AFTER}:
            with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
                send(on)
        elif fault in {Fault.GARBAGE_BEFORE, Fault.GARBAGE_AFTER}:
            with pytest.raises(http.client.BadStatusLine):
                send(on)
        elif fault is Fault.CUT_AFTER and provider != "sendgrid":
            with pytest.raises(http.client.IncompleteRead) as cut:
                send(on)
            assert cut.value.partial
        elif fault is Fault.CUT_AFTER:
            status, headers, _ = send(on)  # Python's client takes a head that breaks off
            assert (status, headers["X-Message-Id"]) == (202, None)
        elif fault is Fault.LIMITED:
            status, headers, _ = send(on)
            assert status == 429
            assert 0 < _asked_to_wait(headers, before) <= 3
        else:
            status, _, body = send(on)
            assert status in ({500} if fault is Fault.ERROR_AFTER else {500, 503})
            assert json.loads(body)
        assert on.ledger.accepted("d1") == (1 if fault in CREATED_AFTER else 0)
        assert on.played()[provider] == {fault: 1}


def _asked_to_wait(headers: Any, now: float) -> float:
    for name in ("X-RateLimit-Reset", "ratelimit-reset"):
        if headers[name]:
            return int(headers[name]) - now
    return float(headers["Retry-After"])


def test_a_dropped_connection_is_closed_or_reset() -> None:
    seen: set[type] = set()
    with StandIns(faults=Faults.only(Fault.DROP_AFTER)) as on:
        for _ in range(30):
            with pytest.raises(ConnectionError) as dropped:
                send_sms(on)
            seen.add(type(dropped.value))
    assert seen == {http.client.RemoteDisconnected, ConnectionResetError}
    assert on.ledger.accepted("d1") == 30


def test_a_request_that_is_refused_is_refused_whatever_would_come_after() -> None:
    with StandIns(faults=Faults.only(Fault.ERROR_AFTER)) as on:
        assert send_sms(on, To="0612345678")[0] == 400
    assert on.ledger.entries() == []


def test_faults_come_in_their_shares_and_only_where_they_are_asked_for() -> None:
    chance, everything = random.Random(1), Faults.all(share=0.5, look_up_share=0.3)
    sends = Counter(everything.pick(chance, look_up=False) for _ in range(4000))
    look_ups = Counter(everything.pick(chance, look_up=True) for _ in range(4000))
    assert set(sends) == set(Fault)
    assert 1800 < sends[Fault.OK] < 2200
    assert all(130 < sends[fault] < 270 for fault in Fault if fault is not Fault.OK)
    assert set(look_ups) == {Fault.OK, Fault.ERROR_BEFORE, Fault.HANG_BEFORE, Fault.LIMITED}
    assert 2600 < look_ups[Fault.OK] < 3000
    assert Faults.none().pick(chance, look_up=False) is Fault.OK


def test_look_ups_fail_on_their_own_terms() -> None:
    faults = Faults(look_up={Fault.ERROR_BEFORE: 1})
    with StandIns(faults=faults) as on:
        assert send_mail(on)[0] == 202
        assert sendgrid(on, "/v3/logs", {})[0] in {500, 503}
        on.faults = Faults.none()
        assert sendgrid(on, "/v3/logs", {})[0] == 200


def test_a_connection_serves_several_requests() -> None:
    with StandIns() as on:
        address = urlsplit(on.sendgrid_url)
        peer = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
        with contextlib.closing(peer):
            head = {"Authorization": f"Bearer {on.keys.sendgrid}"}
            head["Content-Type"] = "application/json"
            for _ in range(3):
                peer.request("POST", "/v3/mail/send", json.dumps(mail()), head)
                assert peer.getresponse().read() == b""
                assert peer.sock is not None, "the connection stays"
    assert on.ledger.accepted("d1") == 3


def test_a_wrong_key_is_shown_out() -> None:
    with StandIns() as on:
        assert ask(on.sendgrid_url, "POST", "/v3/mail/send", body=b"{}")[0] == 401
        wrong = {"Authorization": basic("AC", "x")}
        status, _, body = ask(on.twilio_url, "GET", messages(on), wrong)
        assert (status, json.loads(body)["code"]) == (401, 20003)
        assert ask(on.lob_url, "GET", "/v1/letters", wrong)[0] == 401
        with_key = {"Authorization": basic(on.keys.twilio_key, on.keys.twilio_key_secret)}
        assert ask(on.twilio_url, "GET", messages(on), with_key)[0] == 200


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"block": {"cc": [{"email": "ADA@acme.example"}]}}, "personalizations"),
        ({"block": {"to": [{"email": "ada at acme"}]}}, "personalizations.0.to.0.email"),
        ({"block": {"to": []}}, "personalizations.0.to"),
        ({"block": {"custom_args": {"a": 1}}}, "personalizations.0.custom_args.a"),
        ({"block": {"custom_args": ["a"]}}, "personalizations.0.custom_args"),
        ({"custom_args": {"a": "b"}}, "custom_args"),
        ({"content": []}, "content"),
        ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
        ({"subject": ""}, "subject"),
        ({"from": {}}, "from.email"),
    ],
)
def test_sendgrid_refuses_a_wrong_mail_and_names_the_field(
    wrong: dict[str, Any], field: str
) -> None:
    with StandIns() as on:
        status, _, body = sendgrid(on, "/v3/mail/send", mail(**wrong))
    (error,) = json.loads(body)["errors"]
    assert (status, error["field"]) == (400, field)
    assert error["message"]
    assert on.ledger.entries() == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"To": "0612345678"}, 21211),
        ({"To": ""}, 21604),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"From": ""}, 21603),
        ({"StatusCallback": "ftp://x.example/"}, 21609),
        ({"StatusCallback": "http://under_score.example/"}, 21609),
        ({"To": "+15005550004"}, 21610),
        ({"To": "+15005550009"}, 21614),
    ],
)
def test_twilio_refuses_a_wrong_message_with_its_code(wrong: dict[str, Any], code: int) -> None:
    with StandIns() as on:
        status, _, body = send_sms(on, **wrong)
    told = json.loads(body)
    assert (status, told["status"], told["code"]) == (400, 400, code)
    assert told["more_info"].endswith(f"/{code}")
    assert on.ledger.entries() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"file": "<html>"},
        {"file": None},
        {"use_type": None},
        {"use_type": "spam"},
        {"color": None},
        {"to": ADDRESS | {"name": ""}},
        {"to": ADDRESS | {"address_zip": "1"}},
        {"to": ADDRESS | {"name": "x" * 41}},
        {"from": ADDRESS | {"address_country": "FR"}},
        {"extra_service": "registered"},
        {"metadata": {"dunning_delivery_id": 1}},
    ],
)
def test_lob_refuses_a_wrong_letter(wrong: dict[str, Any]) -> None:
    with StandIns() as on:
        status, _, body = send_letter(on, **wrong)
    error = json.loads(body)["error"]
    assert (status, error["status_code"]) == (422, 422)
    assert error["message"]
    assert error["code"]
    assert on.ledger.entries() == []


def test_lob_reads_a_multipart_form_with_the_bytes_of_the_file() -> None:
    pdf = b"%PDF-1.7\r\n\x00\xff--b\r\n\r\n%%EOF\r\n"
    texts = {"color": "true", "use_type": "operational", "metadata[dunning_delivery_id]": "d9"}
    texts |= {f"{part}[{k}]": v for part in ("to", "from") for k, v in ADDRESS.items()}
    parts = [f'name="{name}"\r\n\r\n{text}'.encode() for name, text in texts.items()]
    parts.append(b'name="file"; filename="l.pdf"\r\nContent-Type: application/pdf\r\n\r\n' + pdf)
    start = b"--bound\r\nContent-Disposition: form-data; "
    body = b"".join(start + part + b"\r\n" for part in parts) + b"--bound--\r\n"
    head = {"Content-Type": "multipart/form-data; boundary=bound"}
    with StandIns() as on:
        head["Authorization"] = basic(on.keys.lob, "")
        status, _, told = ask(on.lob_url, "POST", "/v1/letters", head, body)
    assert status == 200, told
    (entry,) = on.ledger.of("d9")
    assert entry.body["file"] == pdf
    assert entry.body["color"] is True


def test_lob_gives_the_first_letter_back_for_its_key_for_a_day() -> None:
    now = [datetime(2026, 3, 2, 8, 30, tzinfo=UTC)]
    with StandIns(clock=lambda: now[0]) as on:
        first = json.loads(send_letter(on, key="k1")[2])
        now[0] += timedelta(hours=23, minutes=59)
        again = json.loads(send_letter(on, key="k1", color=True)[2])
        assert again == first
        assert on.ledger.accepted("d1") == 1
        assert json.loads(send_letter(on, key="k2")[2])["id"] != first["id"]
        now[0] += timedelta(minutes=1)
        assert json.loads(send_letter(on, key="k1")[2])["id"] != first["id"]
        assert on.ledger.accepted("d1") == 3
        assert send_letter(on, key="k" * 257)[0] == 422


def test_a_key_whose_answer_was_lost_gets_it_the_next_time() -> None:
    with StandIns(faults=Faults.only(Fault.DROP_AFTER)) as on:
        with pytest.raises(ConnectionError):
            send_letter(on, key="k1")
        on.faults = Faults.none()
        told = json.loads(send_letter(on, key="k1")[2])
        (entry,) = on.ledger.of("d1")
    assert told["id"] == entry.provider_id


def test_sendgrids_logs_find_a_message_after_their_lag() -> None:
    now = [datetime(2026, 3, 2, 8, 30, tzinfo=UTC)]
    since = 'sg_message_id_created_at >= TIMESTAMP "2026-03-02T08:30:00Z"'
    query = f'to_email = "ben@acme.example" AND {since}'

    def found(**asked: Any) -> list[Any]:
        status, _, body = sendgrid(on, "/v3/logs", asked)
        assert status == 200
        return list(json.loads(body)["messages"])

    with StandIns(faults=Faults.none(lag=30), clock=lambda: now[0]) as on:
        _, headers, _ = send_mail(on, "d5")
        now[0] += timedelta(seconds=29)
        assert found(query=query) == []
        now[0] += timedelta(seconds=1)
        (line,) = found(query=query)
        assert line["sg_message_id"].split(".")[0] == headers["X-Message-Id"]
        assert "custom_args" not in line
        assert found(query=query.replace(">=", ">")) == []
        assert found(query='to_email = "BEN@acme.example"') == []
        assert len(found(query="status IN ('delivered', 'bounced')", limit=1)) == 1
        head = {"Authorization": f"Bearer {on.keys.sendgrid}"}
        status, _, body = ask(on.sendgrid_url, "GET", f"/v3/logs/{line['sg_message_id']}", head)
        assert (status, json.loads(body)["custom_args"]) == (200, {"dunning_delivery_id": "d5"})


@pytest.mark.parametrize(
    "asked",
    [
        {"query": 'to_email = "a@b.example" OR subject = "x"'},
        {"query": "to_email LIKE 'a%'"},
        {"query": 'sg_message_id_created_at > "2026-03-02T08:30:00Z"'},
        {"query": 'from_email = "a@b.example"'},
        {"query": 'sg_message_id_created_at > TIMESTAMP "yesterday"'},
        {"limit": 0},
        {"limit": 1001},
    ],
)
def test_sendgrids_logs_refuse_what_their_language_does_not_know(asked: dict[str, Any]) -> None:
    with StandIns() as on:
        assert sendgrid(on, "/v3/logs", asked)[0] == 400


def test_twilio_lists_by_number_and_date_page_after_page() -> None:
    now = [datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)]
    with StandIns(clock=lambda: now[0]) as on:
        head = {"Authorization": basic(on.keys.twilio_account, on.keys.twilio_token)}

        def listed(path: str) -> dict[str, Any]:
            status, _, body = ask(on.twilio_url, "GET", path, head)
            assert status == 200
            return dict(json.loads(body))

        send_sms(on, "d0")
        now[0] += timedelta(seconds=1)
        for n in (1, 2, 3):
            send_sms(on, f"d{n}", Body=f"text {n}")
        send_sms(on, "d4", To="+33687654321")
        asked = urlencode({"To": "+33612345678", "DateSent>": "2026-03-03", "PageSize": "2"})
        page = listed(f"{messages(on)}?{asked}")
        assert [m["body"] for m in page["messages"]] == ["text 3", "text 2"]
        page = listed(page["next_page_uri"])
        assert [m["body"] for m in page["messages"]] == ["text 1"]
        assert page["next_page_uri"] is None
        day = urlencode({"DateSent": "2026-03-02"})
        assert len(listed(f"{messages(on)}?{day}")["messages"]) == 1
        second = urlencode({"DateSent<": "2026-03-02T23:59:59Z"})
        assert len(listed(f"{messages(on)}?{second}")["messages"]) == 1


def test_lob_lists_by_metadata_page_after_page() -> None:
    with StandIns() as on:
        head = {"Authorization": basic(on.keys.lob, "")}
        for delivery in ("d1", "d2", "d1"):
            send_letter(on, delivery)

        def listed(query: str) -> dict[str, Any]:
            status, _, body = ask(on.lob_url, "GET", f"/v1/letters?{query}", head)
            assert status == 200
            return dict(json.loads(body))

        newest = on.ledger.of("d1")[::-1]
        mine = "metadata%5Bdunning_delivery_id%5D=d1"
        assert [m["id"] for m in listed(mine)["data"]] == [e.provider_id for e in newest]
        page = listed(f"{mine}&limit=1")
        assert page["count"] == 1
        page = listed(urlsplit(page["next_url"]).query)
        assert [m["id"] for m in page["data"]] == [newest[1].provider_id]
        assert page["next_url"] is None
        as_the_client_writes_it = urlencode({"metadata": '{"dunning_delivery_id": "d2"}'})
        assert listed(as_the_client_writes_it)["count"] == 1
        assert listed(f"{mine}&date_created%5Bgt%5D=2099-01-01T00:00:00Z")["count"] == 0
        assert ask(on.lob_url, "GET", "/v1/letters?colour=red", head)[0] == 422


def callbacks_of(habits: Habits, ours: Ours | None = None) -> tuple[StandIns, Ours]:
    """One message of each provider, all callbacks taken."""
    ours = ours or Ours()
    with listening(ours) as address, StandIns(habits=habits, callbacks_to=address) as on:
        send_mail(on, "mail")
        send_sms(on, "sms")
        send_letter(on, "letter", extra_service="certified")
        assert on.wait_until_quiet(5)
    return on, ours


def mails(ours: Ours) -> list[Any]:
    return [
        event
        for path, _, body, _ in ours.taken
        if path == "/webhooks/sendgrid"
        for event in json.loads(body)
    ]


def statuses(ours: Ours) -> list[str]:
    return [
        dict(parse_qsl(body.decode()))["MessageStatus"]
        for path, _, body, _ in ours.taken
        if path == "/webhooks/twilio/status/sms"
    ]


def letters(ours: Ours) -> list[str]:
    return [
        json.loads(body)["event_type"]["id"]
        for path, _, body, _ in ours.taken
        if path == "/webhooks/lob"
    ]


def test_callbacks_tell_what_became_of_each_message() -> None:
    on, ours = callbacks_of(QUICK)
    assert Counter((e["email"], e["event"]) for e in mails(ours)) == {
        ("ada@acme.example", "processed"): 1,
        ("ada@acme.example", "delivered"): 1,
        ("ben@acme.example", "processed"): 1,
        ("ben@acme.example", "delivered"): 1,
    }
    assert {e["dunning_delivery_id"] for e in mails(ours)} == {"mail"}
    assert sorted(statuses(ours)) == ["delivered", "sent"]
    assert sorted(letters(ours)) == [
        "letter.certified.delivered",
        "letter.certified.mailed",
        "letter.created",
    ]
    counts = on.counts()
    assert counts.posts == counts.taken == counts.statuses[200] == len(ours.taken)
    assert (counts.retries, counts.abandoned) == (0, 0)
    assert len(counts.answer_times) == counts.posts
    assert 0 < counts.slowest == max(counts.answer_times)


def test_callbacks_carry_signatures_that_the_official_validators_accept() -> None:
    on, ours = callbacks_of(QUICK)
    webhook, validator = EventWebhook(on.sendgrid_public_key), RequestValidator("")
    validator.token = on.keys.twilio_token.encode()
    checked = set()
    for path, headers, body, _ in ours.taken:
        text = body.decode()
        if path == "/webhooks/sendgrid":
            signature = headers["X-Twilio-Email-Event-Webhook-Signature"]
            stamp = headers["X-Twilio-Email-Event-Webhook-Timestamp"]
            assert text.endswith("\r\n")
            assert webhook.verify_signature(text, signature, stamp)
            assert not webhook.verify_signature(text.rstrip(), signature, stamp)
        elif path == "/webhooks/lob":
            stamp = headers["Lob-Signature-Timestamp"]
            signed = stamp.encode() + b"." + body
            secret = on.keys.lob_secret.encode()
            expected = hmac.new(secret, signed, hashlib.sha256).hexdigest()
            assert headers["Lob-Signature"] == expected
        else:
            form, signature = dict(parse_qsl(text)), headers["X-Twilio-Signature"]
            assert validator.validate(PUBLIC + path, form, signature)
            assert not validator.validate(PUBLIC + path + "x", form, signature)
        checked.add(path)
    assert checked == {"/webhooks/sendgrid", "/webhooks/twilio/status/sms", "/webhooks/lob"}


def test_who_is_not_reached_is_told_and_written_down() -> None:
    on, ours = callbacks_of(Habits(delay=0, twice=0, early=0, failing=1))
    assert {e["event"] for e in mails(ours)} == {"processed", "bounce"}
    assert sorted(statuses(ours)) == ["sent", "undelivered"]
    assert any(b"ErrorCode=30003" in body for _, _, body, _ in ours.taken)
    assert "letter.certified.returned_to_sender" in letters(ours)
    assert all(entry.lost == entry.recipients for entry in on.ledger.entries())


def test_events_due_together_come_in_one_post() -> None:
    def seal(events: Sequence[Any]) -> tuple[bytes, dict[str, str]]:
        return json.dumps(list(events)).encode(), {}

    with listening(ours := Ours()) as address:
        sender = Sender(address, QUICK, 0)
        sender.report("/b", ["a", "b"], seal, batch="x")
        sender.report("/b", ["c"], seal, batch="x")
        sender.report("/b", ["alone"], seal)
        sender.start()
        assert sender.wait_until_quiet(5)
        sender.close()
    assert sorted(sorted(json.loads(body)) for *_, body, _ in ours.taken) == [
        ["a", "b", "c"],
        ["alone"],
    ]


def test_callbacks_come_twice_late_and_out_of_order() -> None:
    habits = Habits(delay=0.2, twice=1, early=0, opened=0)
    began = time.monotonic()
    with listening(ours := Ours()) as address, StandIns(habits=habits, callbacks_to=address) as on:
        for _ in range(10):
            send_sms(on, "sms")
        assert on.wait_until_quiet(5)
    assert Counter(statuses(ours)) == {"sent": 20, "delivered": 20}
    first: dict[str, str] = {}
    for _, _, body, _ in ours.taken:
        form = dict(parse_qsl(body.decode()))
        first.setdefault(form["MessageSid"], form["MessageStatus"])
    assert set(first.values()) == {"sent", "delivered"}, "the order is not that of the facts"
    assert max(at for *_, at in ours.taken) - began > 0.05


def test_a_second_post_of_a_mails_event_has_another_id() -> None:
    _, ours = callbacks_of(Habits(delay=0, twice=1, early=0, opened=0))
    told = mails(ours)
    assert len(told) == len({e["sg_event_id"] for e in told}) == 8


@pytest.mark.parametrize("provider", SENDS)
@pytest.mark.parametrize("early", [0, 1])
def test_an_early_callback_comes_before_the_answer(provider: str, early: int) -> None:
    habits = Habits(delay=600, twice=0, early=early)
    with listening(ours := Ours()) as address, StandIns(habits=habits) as on:
        on.aim(address)
        SENDS[provider](on)
        assert len(ours.taken) == early
        on.faults = Faults.only(Fault.HANG_AFTER, hang=HANG)
        with pytest.raises(TimeoutError):
            SENDS[provider](on, timeout=PATIENCE)
        assert len(ours.taken) == 2 * early
        assert on.ledger.accepted("d1") == 2


def test_a_callback_that_is_refused_comes_again_unchanged() -> None:
    ours = Ours([500, 404])
    habits = Habits(delay=0, twice=0, early=0, again=0.02)
    with listening(ours) as address, StandIns(habits=habits, callbacks_to=address) as on:
        send_letter(on)
        assert on.wait_until_quiet(5)
        counts = on.counts()
    assert (counts.posts, counts.retries, counts.taken) == (5, 2, 3)
    assert counts.statuses == {500: 1, 404: 1, 200: 3}
    assert Counter(Counter(body for _, _, body, _ in ours.taken).values()) in (
        Counter({2: 2, 1: 1}),
        Counter({3: 1, 1: 2}),
    )


def test_a_batch_that_is_refused_keeps_its_ids_and_its_signature() -> None:
    ours = Ours([500])
    habits = Habits(delay=0, twice=0, early=1, opened=0, again=0.02)
    with listening(ours) as address, StandIns(habits=habits, callbacks_to=address) as on:
        send_mail(on)
        assert on.wait_until_quiet(5)
    posts = [
        (body, headers["X-Twilio-Email-Event-Webhook-Signature"])
        for _, headers, body, _ in ours.taken
    ]
    assert posts.count(posts[0]) == 2
    assert len(posts) == len(set(posts)) + 1


def test_callbacks_wait_for_our_side_to_come_back() -> None:
    habits = Habits(delay=0, twice=0, early=0, again=0.05)
    with listening(Ours()) as address:
        pass  # the port is closed again
    with StandIns(habits=habits, callbacks_to=address) as on:
        send_sms(on, "sms")
        assert not on.wait_until_quiet(0.1)
        assert on.counts().statuses[0] > 0
        with listening(ours := Ours()) as back:
            on.aim(back)
            assert on.wait_until_quiet(5)
    assert sorted(statuses(ours)) == ["delivered", "sent"]


def test_callbacks_are_given_up_in_the_end() -> None:
    habits = Habits(delay=0, twice=0, early=0, again=0.02, retry_for=0.1)
    with listening(Ours([500] * 1000)) as address:
        with StandIns(habits=habits, callbacks_to=address) as on:
            send_sms(on)
            assert on.wait_until_quiet(5)
        counts = on.counts()
    assert (counts.taken, counts.abandoned) == (0, 2)
    assert counts.retries == counts.posts - 2 > 0


def test_nobody_is_told_without_an_address_and_nothing_leaves_this_machine() -> None:
    with StandIns() as on:
        send_sms(on)
        assert on.wait_until_quiet(0)
    assert on.counts().posts == 0
    with pytest.raises(ValueError, match="not on this machine"):
        StandIns(callbacks_to="http://dunning.example")


def test_under_load_every_message_is_counted_exactly() -> None:
    faults = Faults.all(share=0.6, hang=0.05)
    outcomes: Counter[str] = Counter()

    def work(name: str) -> None:
        for n in range(20):
            for provider, send in SENDS.items():
                try:
                    status = send(on, f"{provider}-{name}-{n}", 2)[0]
                    outcomes[str(status)] += 1
                except (OSError, http.client.HTTPException):
                    outcomes["lost"] += 1

    with StandIns(faults=faults, seed=7) as on:
        threads = [threading.Thread(target=work, args=(str(n),)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        played = on.played()
    assert sum(sum(faults.values()) for faults in played.values()) == 360
    for provider in SENDS:
        after = sum(played[provider][fault] for fault in {Fault.OK, *CREATED_AFTER})
        assert len(on.ledger.entries(provider)) == after
    assert set(on.ledger.counts().values()) == {1}
    assert outcomes["429"] > 0
    assert outcomes["lost"] > 0
