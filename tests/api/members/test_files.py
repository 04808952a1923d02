"""Files: the PDFs of invoices, and what an owner attaches to an email (rule 28)."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Response

from activities.sending import Sending
from backoffice.delivery.outgoing import Outgoing
from backoffice.ledger.files import MAX_FILE
from dunning.plan import ActionType
from messages.message import Message
from providers.port import Accepted, Result
from stand_ins.office import PLAN, Caller, Office, acme_body, invoice_body
from workflows.contracts import SendInput

PDF = b"%PDF-1.7 INV-1\r\n\x00\xff%%EOF\r\n"
PNG = b"\x89PNG\r\n\x1a\n a picture"
OF_A_PDF = {"Content-Type": "application/pdf"}


def put_pdf(office: Office, content: bytes = PDF, invoice: str = "INV-1", **params: Any) -> Any:
    answer = office.billing(
        "PUT", f"/invoices/{invoice}/pdf", content=content, headers=OF_A_PDF, params=params
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def attach(
    who: Caller, path: str, name: str, content: bytes, kind: str = "application/pdf"
) -> Response:
    return who("POST", f"{path}/attachments", files={"file": (name, content, kind)})


def attached(who: Caller, path: str, name: str, content: bytes = PDF) -> Any:
    answer = attach(who, path, name, content)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(files: list[dict[str, Any]]) -> list[str]:
    return [file["name"] for file in files]


def bens_email(office: Office, **step: Any) -> str:
    """Ben has an email to write to Acme. Answers its path."""
    office.ada.does("PUT", "/plans/Standard", {"name": "Standard", "steps": [
        {"key": "letter", "name": "A letter of ours", "type": "email", "owner": "assigned",
         "trigger": {"from": "due", "days": 1}, "subject": "{{ invoice.number }}",
         "body": "This is serious.", **step},
    ]})  # fmt: skip
    office.billing.does("PUT", "/customers/C-1", acme_body())
    office.billing.does("PUT", "/invoices/INV-1", invoice_body())
    assert office.review() == "await_owner"
    (action,) = office.ben.get("/actions")["items"]
    return f"/actions/{action['id']}"


class Keeps:
    """An email provider that keeps what it is given."""

    name = account = "keeps"
    signers = ()
    type = ActionType.EMAIL
    idempotent = False

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, message: Message) -> Result:
        self.messages.append(message)
        return Accepted("1")


def sent(office: Office) -> Message:
    provider = Keeps()
    channels = {ActionType.EMAIL: provider}
    sending = Sending(office.engine, Outgoing(channels, channels, lambda: office.now))
    customer = office.ben.get("/customers/C-1")["id"]
    sending.send_email(SendInput(str(office.id), customer, office.now, "email"))
    (message,) = provider.messages
    return message


def test_the_pdf_of_an_invoice_comes_back_byte_for_byte(office: Office) -> None:
    office.acme()
    assert office.ben.get("/invoices/INV-1")["pdf"] is None
    office.ben.fails(404, "GET", "/invoices/INV-1/pdf")
    kept = put_pdf(office)
    assert (kept["name"], kept["content_type"], kept["size"]) == (
        "2025-001.pdf", "application/pdf", len(PDF)
    )  # fmt: skip
    assert office.cleo.get("/invoices/INV-1")["pdf"] == kept
    answer = office.cleo("GET", "/invoices/INV-1/pdf")
    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'attachment; filename="2025-001.pdf"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert put_pdf(office) == kept  # the same again is no news
    assert put_pdf(office, PDF + b"2")["id"] != kept["id"]
    assert office.cleo("GET", "/invoices/INV-1/pdf").content == PDF + b"2"
    office.billing.does("DELETE", "/invoices/INV-1/pdf")
    office.billing.fails(404, "DELETE", "/invoices/INV-1/pdf")
    office.cleo.fails(404, "GET", "/invoices/INV-1/pdf")
    told = [e["kind"] for e in office.ben.get("/invoices/INV-1/timeline")["items"]]
    assert told == ["invoice_pdf_removed", "invoice_pdf", "invoice_pdf", "invoice_created"]
    assert office.nudges() == []  # nothing to decide anew


def test_only_billing_gives_an_invoice_its_pdf(office: Office) -> None:
    office.acme()
    for who in (office.ada, office.ben):
        who.fails(403, "PUT", "/invoices/INV-1/pdf", content=PDF, headers=OF_A_PDF)
        who.fails(403, "DELETE", "/invoices/INV-1/pdf")
    office.billing.fails(404, "PUT", "/invoices/INV-9/pdf", content=PDF, headers=OF_A_PDF)
    office.caller(None).fails(401, "PUT", "/invoices/INV-1/pdf", content=PDF, headers=OF_A_PDF)
    other = Office(office.engine, office.client)
    put_pdf(office)
    other.ben.fails(404, "GET", "/invoices/INV-1/pdf")


def test_exactly_ten_megabytes_are_taken_and_not_one_byte_more(office: Office) -> None:
    """The default limit of these tests is far below: this one is of its own."""
    office.acme()
    most = PDF.ljust(MAX_FILE, b"x")
    assert put_pdf(office, most)["size"] == 10 * 1024 * 1024
    path = "/invoices/INV-1/pdf"
    told = office.billing.fails(422, "PUT", path, content=most + b"x", headers=OF_A_PDF)
    assert "10 MB" in told["detail"]
    office.billing.fails(413, "PUT", path, content=most.ljust(11 * 2**20, b"x"), headers=OF_A_PDF)
    chunks = iter([most, b"x" * 2**20])  # without a length in the header
    office.billing.fails(413, "PUT", path, content=chunks, headers=OF_A_PDF)
    office.billing.fails(413, "PUT", "/invoices/INV-1", content=most, headers=OF_A_PDF)
    assert office.ben.get("/invoices/INV-1")["pdf"]["size"] == MAX_FILE


def test_what_is_no_pdf_is_refused(office: Office) -> None:
    office.acme()
    path = "/invoices/INV-1/pdf"
    for content in (b"", b"<html>", b" %PDF-1.7", PNG):
        told = office.billing.fails(422, "PUT", path, content=content, headers=OF_A_PDF)
        assert "application/pdf" in told["detail"]
    for kind in ("image/png", "text/html", "application/json"):
        headers = {"Content-Type": kind}
        office.billing.fails(415, "PUT", path, content=PDF, headers=headers)
    office.billing.fails(415, "PUT", path, content=PDF)
    office.billing.fails(422, "PUT", path, content=PDF, headers=OF_A_PDF, params={"name": ""})
    office.billing.fails(422, "PUT", path, content=PDF, headers=OF_A_PDF, params={"name": "a\nb"})
    assert office.ben.get("/invoices/INV-1")["pdf"] is None


NAMES = [
    ("Invoice 1.pdf", "Invoice 1.pdf"), ("../../etc/passwd", "passwd.pdf"),
    ("C:\\tmp\\bill.PDF", "bill.pdf"), ("Größe é.pdf", "Gro_e e.pdf"), ("請求書.pdf", "file.pdf"),
    ("bill.exe", "bill.exe.pdf"), (".pdf", "pdf.pdf"), ("..", "file.pdf"),
    ('a";b=c.pdf', "a__b=c.pdf"), ("a%0d%0ab.pdf", "a_0d_0ab.pdf"),
    ("x" * 190 + ".pdf", "x" * 100 + ".pdf"),
]  # fmt: skip


def test_a_name_is_one_that_every_mail_program_takes(
    office: Office, subtests: pytest.Subtests
) -> None:
    office.acme()
    for given, kept in NAMES:
        with subtests.test(name=given):
            name = put_pdf(office, name=given)["name"]
            assert name.lower() == kept.lower()
            assert name.isascii()
            header = office.ben("GET", "/invoices/INV-1/pdf").headers["content-disposition"]
            assert header == f'attachment; filename="{name}"'
    slash = invoice_body(number="2025/7")
    office.billing.does("PUT", "/invoices/INV-7", slash)
    assert put_pdf(office, invoice="INV-7")["name"] == "2025-7.pdf"


def test_ben_attaches_files_and_they_leave_with_his_email(office: Office) -> None:
    path = bens_email(office)
    first = attached(office.ben, path, "contract.pdf")
    assert (first["attachments"], names(first["message"]["attachments"])) == (
        first["message"]["attachments"], ["contract.pdf"]
    )  # fmt: skip
    assert attach(office.ben, path, "photo.png", PNG, "image/png").status_code == 200
    wrong = attached(office.ben, path, "wrong.pdf", PDF + b"wrong")["attachments"][-1]["id"]
    assert names(attached(office.ben, path, "contract.pdf")["attachments"]) == [
        "contract.pdf", "photo.png", "wrong.pdf"
    ]  # fmt: skip
    left = office.ben.does("DELETE", f"{path}/attachments/{wrong}")
    assert names(left["message"]["attachments"]) == ["contract.pdf", "photo.png"]
    office.ben.fails(404, "DELETE", f"{path}/attachments/{wrong}")
    office.ben.fails(404, "GET", f"{path}/attachments/{wrong}")
    office.ben.does("POST", f"{path}/complete")
    office.ben.fails(409, "POST", f"{path}/attachments", files={"file": ("a.pdf", PDF)})
    message = sent(office)
    assert [(a.name, a.content_type, a.content) for a in message.attachments] == [
        ("contract.pdf", "application/pdf", PDF), ("photo.png", "image/png", PNG)
    ]  # fmt: skip
    seen = office.cleo.get(path)  # it is in the past, and everybody's
    assert seen["status"] == "done"
    assert seen["message"]["attachments"] == left["message"]["attachments"]
    photo = seen["message"]["attachments"][1]["id"]
    assert office.cleo("GET", f"{path}/attachments/{photo}").content == PNG
    told = [e["text"] for e in office.ben.get("/customers/C-1/timeline")["items"]]
    assert "contract.pdf is attached to 'A letter of ours'" in told
    assert "wrong.pdf is taken off 'A letter of ours'" in told


def test_only_the_owner_sees_and_changes_what_is_attached(office: Office) -> None:
    path = bens_email(office)
    file = attached(office.ben, path, "contract.pdf")["attachments"][0]["id"]
    answer = office.ben("GET", f"{path}/attachments/{file}")
    assert (answer.content, answer.headers["content-disposition"]) == (
        PDF, 'attachment; filename="contract.pdf"'
    )  # fmt: skip
    for who in (office.ada, office.cleo):
        who.fails(404, "GET", f"{path}/attachments/{file}")
        who.fails(404, "DELETE", f"{path}/attachments/{file}")
        who.fails(404, "POST", f"{path}/attachments", files={"file": ("a.pdf", PDF)})
        assert "contract.pdf" not in str(who.get("/customers/C-1/timeline"))
    office.billing.fails(403, "POST", f"{path}/attachments", files={"file": ("a.pdf", PDF)})
    put_pdf(office)  # a file of the organisation that does not go with this email
    stranger = office.ben.get("/invoices/INV-1")["pdf"]["id"]
    office.ben.fails(404, "GET", f"{path}/attachments/{stranger}")


def test_only_an_email_has_attachments(office: Office) -> None:
    path = f"/actions/{office.bens_call()['id']}"
    told = office.ben.fails(409, "POST", f"{path}/attachments", files={"file": ("a.pdf", PDF)})
    assert "only an email has attachments" in told["detail"]
    told = office.ben.fails(422, "PATCH", path, {"attach_invoices": True})
    assert told["errors"][0]["where"] == "/attach_invoices"
    office.ben.does("PATCH", path, {"type": "email", "subject": "", "body": ""})
    attached(office.ben, path, "a.pdf")
    assert office.ben.does("PATCH", path, {"type": "call"})["message"]["attachments"] == []


def test_the_invoices_go_along_where_the_step_or_the_owner_says_so(office: Office) -> None:
    path = bens_email(office, attach_invoices=True)
    put_pdf(office)
    assert names(office.ben.get(path)["message"]["attachments"]) == ["2025-001.pdf"]
    assert office.ben.get(path)["attachments"] == []
    without = office.ben.does("PATCH", path, {"attach_invoices": False})
    assert without["message"]["attachments"] == []
    with_ = office.ben.does("PATCH", path, {"attach_invoices": True})
    (file,) = with_["message"]["attachments"]
    assert office.ben("GET", f"{path}/attachments/{file['id']}").content == PDF
    office.ben.does("POST", f"{path}/complete")
    assert [a.content for a in sent(office).attachments] == [PDF]
    put_pdf(office, PDF + b"2")
    office.billing.does("DELETE", "/invoices/INV-1/pdf")
    assert office.ben("GET", f"{path}/attachments/{file['id']}").content == PDF  # as it left


def test_all_files_together_have_at_most_twenty_megabytes(office: Office) -> None:
    path = bens_email(office)
    put_pdf(office)
    big = PDF.ljust(MAX_FILE, b"x")
    for name in ("a.pdf", "b.pdf"):
        attached(office.ben, path, name, big)
    answer = attach(office.ben, path, "c.pdf", PDF)
    assert (answer.status_code, "20 MB" in answer.text) == (422, True)
    told = office.ben.fails(422, "PATCH", path, {"attach_invoices": True})
    assert "20 MB" in told["detail"]
    seen = office.ben.get(path)
    assert names(seen["message"]["attachments"]) == ["a.pdf", "b.pdf"]


def test_what_grew_too_large_afterwards_is_told_before_it_leaves(office: Office) -> None:
    path = bens_email(office, attach_invoices=True)
    big = PDF.ljust(MAX_FILE, b"x")
    for name in ("a.pdf", "b.pdf"):
        attached(office.ben, path, name, big)
    put_pdf(office)
    assert "20 MB" in office.ben.fails(422, "POST", f"{path}/complete", {})["detail"]
    office.ben.does("PATCH", path, {"attach_invoices": False})
    office.ben.does("POST", f"{path}/complete")


def test_what_cannot_be_attached(office: Office) -> None:
    path = bens_email(office)
    for name, content, kind, status in (
        ("a.exe", b"MZ", "application/octet-stream", 422), ("a.html", b"<b>", "text/html", 422),
        ("a.pdf", b"<html>", "application/pdf", 422), ("a.pdf", PNG, "application/pdf", 422),
        ("a.svg", b"<svg/>", "image/svg+xml", 422), ("a.pdf", b"", "application/pdf", 422),
        ("a.pdf", PDF.ljust(11 * 2**20, b"x"), "application/pdf", 413),
    ):  # fmt: skip
        assert attach(office.ben, path, name, content, kind).status_code == status, (name, kind)
    office.ben.fails(422, "POST", f"{path}/attachments", files={"other": ("a.pdf", PDF)})
    office.ben.fails(422, "POST", f"{path}/attachments", files={"file": (None, "text")})
    office.ben.fails(415, "POST", f"{path}/attachments", content=PDF, headers=OF_A_PDF)
    office.ben.fails(415, "POST", f"{path}/attachments", {})
    broken = {"Content-Type": "multipart/form-data"}
    office.ben.fails(400, "POST", f"{path}/attachments", content=b"--x", headers=broken)
    assert office.ben.get(path)["attachments"] == []


def test_the_plan_of_these_tests_attaches_nothing(office: Office) -> None:
    """A PDF goes with nobody's message because it is there."""
    office.ada.does("PUT", "/plans/Standard", PLAN)
    office.billing.does("PUT", "/customers/C-1", acme_body())
    office.billing.does("PUT", "/invoices/INV-1", invoice_body())
    put_pdf(office)
    office.at("2025-03-04 08:30")
    assert office.review() == "send"
    assert sent(office).attachments == ()
