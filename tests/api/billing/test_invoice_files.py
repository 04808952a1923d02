"""The PDF of an invoice."""

from __future__ import annotations

import pytest

from backoffice.ledger.files import MAX_FILE
from stand_ins.office import Office, invoice_body
from tests.cast.office_files import OF_A_PDF, PDF, PNG, put_pdf


def test_the_pdf_of_an_invoice_comes_back_byte_for_byte(office: Office) -> None:
    office.acme()
    assert office.ben.get("/invoices/INV-1")["pdf"] is None
    office.ben.fails(404, "GET", "/invoices/INV-1/pdf")
    kept = put_pdf(office)
    assert (kept["name"], kept["content_type"], kept["size"]) == (
        "2025-001.pdf",
        "application/pdf",
        len(PDF),
    )
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
    """Files have a limit of their own, above the general one of these tests."""
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
    ("Invoice 1.pdf", "Invoice 1.pdf"),
    ("../../etc/passwd", "passwd.pdf"),
    ("C:\\tmp\\bill.PDF", "bill.pdf"),
    ("Größe é.pdf", "Gro_e e.pdf"),
    ("請求書.pdf", "file.pdf"),
    ("bill.exe", "bill.exe.pdf"),
    (".pdf", "pdf.pdf"),
    ("..", "file.pdf"),
    ('a";b=c.pdf', "a__b=c.pdf"),
    ("a%0d%0ab.pdf", "a_0d_0ab.pdf"),
    ("x" * 190 + ".pdf", "x" * 100 + ".pdf"),
]


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
