"""What an owner attaches to an email (rule 28)."""

from __future__ import annotations

from backoffice.ledger.files import MAX_FILE
from stand_ins.office import PLAN, Office, acme_body, invoice_body
from tests.cast.bens_actions import bens_email
from tests.cast.office_files import OF_A_PDF, PDF, PNG, attach, attached, names, put_pdf, sent


def test_attached_files_leave_with_the_email(office: Office) -> None:
    path = bens_email(office)
    first = attached(office.ben, path, "contract.pdf")
    assert (first["attachments"], names(first["message"]["attachments"])) == (
        first["message"]["attachments"],
        ["contract.pdf"],
    )
    assert attach(office.ben, path, "photo.png", PNG, "image/png").status_code == 200
    wrong = attached(office.ben, path, "wrong.pdf", PDF + b"wrong")["attachments"][-1]["id"]
    assert names(attached(office.ben, path, "contract.pdf")["attachments"]) == [
        "contract.pdf",
        "photo.png",
        "wrong.pdf",
    ]
    left = office.ben.does("DELETE", f"{path}/attachments/{wrong}")
    assert names(left["message"]["attachments"]) == ["contract.pdf", "photo.png"]
    office.ben.fails(404, "DELETE", f"{path}/attachments/{wrong}")
    office.ben.fails(404, "GET", f"{path}/attachments/{wrong}")
    office.ben.does("POST", f"{path}/complete")
    office.ben.fails(409, "POST", f"{path}/attachments", files={"file": ("a.pdf", PDF)})
    message = sent(office)
    assert [(a.name, a.content_type, a.content) for a in message.attachments] == [
        ("contract.pdf", "application/pdf", PDF),
        ("photo.png", "image/png", PNG),
    ]
    seen = office.cleo.get(path)  # it is executed, so everybody sees it
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
        PDF,
        'attachment; filename="contract.pdf"',
    )
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


def test_completing_an_email_that_grew_too_large_is_refused(office: Office) -> None:
    path = bens_email(office, attach_invoices=True)
    big = PDF.ljust(MAX_FILE, b"x")
    for name in ("a.pdf", "b.pdf"):
        attached(office.ben, path, name, big)
    put_pdf(office)
    assert "20 MB" in office.ben.fails(422, "POST", f"{path}/complete", {})["detail"]
    office.ben.does("PATCH", path, {"attach_invoices": False})
    office.ben.does("POST", f"{path}/complete")


def test_files_of_other_types_or_sizes_are_refused(office: Office) -> None:
    path = bens_email(office)
    for name, content, kind, status in (
        ("a.exe", b"MZ", "application/octet-stream", 422),
        ("a.html", b"<b>", "text/html", 422),
        ("a.pdf", b"<html>", "application/pdf", 422),
        ("a.pdf", PNG, "application/pdf", 422),
        ("a.svg", b"<svg/>", "image/svg+xml", 422),
        ("a.pdf", b"", "application/pdf", 422),
        ("a.pdf", PDF.ljust(11 * 2**20, b"x"), "application/pdf", 413),
    ):
        assert attach(office.ben, path, name, content, kind).status_code == status, (name, kind)
    office.ben.fails(422, "POST", f"{path}/attachments", files={"other": ("a.pdf", PDF)})
    office.ben.fails(422, "POST", f"{path}/attachments", files={"file": (None, "text")})
    office.ben.fails(415, "POST", f"{path}/attachments", content=PDF, headers=OF_A_PDF)
    office.ben.fails(415, "POST", f"{path}/attachments", {})
    broken = {"Content-Type": "multipart/form-data"}
    office.ben.fails(400, "POST", f"{path}/attachments", content=b"--x", headers=broken)
    assert office.ben.get(path)["attachments"] == []


def test_the_pdf_of_an_invoice_is_not_attached_unless_a_step_says_so(office: Office) -> None:
    """An existing PDF alone attaches nothing."""
    office.ada.does("PUT", "/plans/Standard", PLAN)
    office.billing.does("PUT", "/customers/C-1", acme_body())
    office.billing.does("PUT", "/invoices/INV-1", invoice_body())
    put_pdf(office)
    office.at("2025-03-04 08:30")
    assert office.review() == "send"
    assert sent(office).attachments == ()
