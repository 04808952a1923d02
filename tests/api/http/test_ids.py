"""Our ids are UUIDs, a billing system's ids are any other text; neither is taken for the other."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

import cli
from stand_ins.office import Office, acme_body, invoice_body, payment_body
from store import tables as t
from store.engine import transaction
from tests.cast.imported import refused as refused_rows
from tests.cast.listening import Line, listening

OURS = "0f8fad5b-d9cb-469f-a165-70867728950e"
#: What Python, and so every address of ours, reads as the same UUID.
FORMS = (
    OURS,
    OURS.upper(),
    OURS.replace("-", ""),
    f"{{{OURS}}}",
    f"urn:uuid:{OURS}",
    OURS.replace("-", "").upper(),
)


def note_body() -> dict[str, Any]:
    note = payment_body("10.00") | {"issued_on": "2025-03-04"}
    del note["paid_on"]
    return note


def test_our_id_of_a_customer_makes_no_second_customer(office: Office) -> None:
    office.acme()
    ours = office.billing.get("/customers/C-1")["id"]
    problem = office.billing.fails(422, "PUT", f"/customers/{ours}", {"name": "Impostor"})
    assert problem["errors"][0]["where"] == "path customer"
    assert "external:" in problem["errors"][0]["reason"]
    assert office.billing.get(f"/customers/{ours}")["name"] == "Acme"
    assert [c["name"] for c in office.billing.get("/customers")["items"]] == ["Acme"]


def test_an_external_id_has_not_the_form_of_ours_in_any_address(
    office: Office, subtests: pytest.Subtests
) -> None:
    office.acme()
    for form in FORMS:
        for path, body in (
            (f"/customers/{form}", acme_body()),
            (f"/invoices/{form}", invoice_body()),
            (f"/payments/{form}", payment_body()),
            (f"/credit-notes/{form}", note_body()),
        ):
            with subtests.test(path=path):
                (wrong,) = office.billing.fails(422, "PUT", path, body)["errors"]
                assert wrong["where"].startswith("path ")


def test_an_external_id_has_not_the_form_of_ours_in_any_body(
    office: Office, subtests: pytest.Subtests
) -> None:
    office.acme()
    for path, body, where in (
        ("/customers/C-2", acme_body(parent=OURS), "/parent"),
        ("/invoices/INV-2", invoice_body(customer=OURS), "/customer"),
        ("/payments/P-1", payment_body(customer=OURS), "/customer"),
        (
            "/payments/P-1",
            payment_body(applied=[{"invoice": OURS, "amount": "1.00"}]),
            "/applied/0/invoice",
        ),
    ):
        with subtests.test(path=path, where=where):
            assert [e["where"] for e in office.billing.fails(422, "PUT", path, body)["errors"]] == [
                where
            ]
    batch = {
        "customers": [acme_body(external_id=OURS)],
        "invoices": [invoice_body(external_id=OURS)],
        "credit_notes": [note_body() | {"external_id": OURS}],
        "payments": [payment_body(external_id=OURS)],
    }
    problem = office.billing.fails(422, "POST", "/batch", batch)
    assert [e["where"] for e in problem["errors"]] == [f"/{name}/0/external_id" for name in batch]


def test_an_external_id_has_not_the_form_of_ours_in_a_book(office: Office) -> None:
    header = "customer,customer_name,email,invoice,issued_on,due_on,total,currency,paid_on,parent"
    row = "C-1,Acme,,INV-1,2025-02-01,2025-03-03,100.00,EUR,,"
    bad = [row.replace("C-1", OURS), row.replace("INV-1", OURS), row + OURS.upper()]
    told = refused_rows(office, "\n".join([header, *bad]))
    assert [where for where, _ in told] == ["line 2, customer", "line 3, invoice", "line 4, parent"]
    assert all("external:" in reason for _, reason in told)


def test_a_uuid_in_an_address_is_always_our_id(office: Office, subtests: pytest.Subtests) -> None:
    office.acme()
    office.billing.does("PUT", "/payments/P-1", payment_body("10.00"))
    customer, invoice = (
        office.billing.get(f"/{kind}")["items"][0]["id"] for kind in ("customers", "invoices")
    )
    for form in (str, str.upper, lambda one: one.replace("-", "")):
        with subtests.test(form=form("ab-cd")):
            assert office.ben.get(f"/customers/{form(customer)}")["external_id"] == "C-1"
            assert office.ben.get(f"/invoices/{form(invoice)}")["external_id"] == "INV-1"
            found = office.ben.get("/invoices", customer=form(customer))["items"]
            assert [row["external_id"] for row in found] == ["INV-1"]
    problem = office.ben.fails(404, "GET", f"/customers/{uuid.uuid4()}")
    assert "our id" in problem["detail"]


def test_a_payment_is_reversed_by_its_id_or_by_ours(office: Office) -> None:
    office.acme()
    for kind, back, body in (
        ("payments", "reverse", payment_body("10.00")),
        ("credit-notes", "void", note_body()),
    ):
        ours = office.billing.does("PUT", f"/{kind}/X-1", body)["id"]
        office.billing.does("PUT", f"/{kind}/X-2", body)
        assert office.billing.does("POST", f"/{kind}/{ours}/{back}")["external_id"] == "X-1"
        assert office.billing.does("POST", f"/{kind}/X-2/{back}")["external_id"] == "X-2"
        office.billing.fails(404, "POST", f"/{kind}/{uuid.uuid4()}/{back}")
    other = office.billing.does("PUT", "/payments/X-3", payment_body("5.00"))["id"]
    office.billing.fails(404, "POST", f"/credit-notes/{other}/void")


def test_the_id_of_a_member_is_never_the_address_of_another(office: Office) -> None:
    with transaction(office.engine) as session:  # from before addresses were checked everywhere
        ours = office.ids["Ben"]
        session.add(t.Member(organisation_id=office.id, email=ours, name="Impostor"))
    assert office.ada.get("/customers", member=ours) == {"items": [], "next_cursor": None}
    away = office.ada.does("PUT", f"/members/{ours}/absence", {"from": "2025-03-04"})
    assert away["from"] == "2025-03-04"
    assert office.ben.get("/me")["absence"] == away


def test_the_first_admin_has_an_address() -> None:
    for address in (OURS, "ada", "ada@", ""):
        arguments = ["organisation", "create", "X", "--admin-email", address]
        assert isinstance(CliRunner().invoke(cli.app, arguments).exception, ValueError)


NOT_UTF_8 = ("M%FCller", "%E4", "a%ED%A0%80", "%C0%AF", "caf%C3")


def test_an_id_that_is_not_utf_8_is_refused_and_not_merged_with_another(
    office: Office, subtests: pytest.Subtests
) -> None:
    office.acme()
    for one in NOT_UTF_8:
        for method, path, body in (
            ("PUT", f"/customers/{one}", {"name": "Müller"}),
            ("PUT", f"/invoices/{one}", invoice_body()),
            ("PUT", f"/payments/{one}", payment_body()),
            ("GET", f"/customers/{one}", None),
            ("POST", f"/credit-notes/{one}/void", None),
            ("PATCH", f"/customers/C-1/contacts/{one}", {}),
            ("GET", f"/plans/{one}", None),
            ("PUT", f"/groups/{one}", {"members": []}),
            ("DELETE", f"/members/{one}", None),
            ("DELETE", f"/keys/{one}", None),
            ("GET", f"/invoices?customer={one}", None),
            ("GET", f"/customers?{one}=1", None),
        ):
            with subtests.test(method=method, path=path):
                problem = office.billing.fails(400, method, path, body)
                assert "UTF-8" in problem["detail"]
    assert office.ben.get("/groups") == {"items": []}
    assert [c["external_id"] for c in office.billing.get("/customers")["items"]] == ["C-1"]


def test_an_id_in_utf_8_is_kept_as_it_is(office: Office) -> None:
    for path, key in (("M%C3%BCller", "Müller"), ("a%20b", "a b"), ("%EF%BF%BD", "\ufffd")):
        made = office.billing.does("PUT", f"/customers/{path}", {"name": "x"})
        assert made["external_id"] == key
        assert office.billing.get(f"/customers/{path}")["external_id"] == key


def test_a_real_server_sees_the_bytes_of_an_address_too(office: Office, app: FastAPI) -> None:
    office.acme()
    key = f"Authorization: {office.billing.headers['Authorization']}"
    with listening(app) as port:
        for path in ("/v1/customers/M%FCller", "/v1/customers?name=M%FCller"):
            status, _, body = Line(port).send("GET", path, key).answer()
            assert (status, "UTF-8" in body) == (400, True)
        got = Line(port).send("GET", "/v1/customers/C-1", key).answer()
        line = Line(port).send("HEAD", "/v1/customers/C-1", key, "Connection: close")
        with line.socket, line.socket.makefile("rb") as file:
            head, _, rest = file.read().partition(b"\r\n\r\n")
        assert got[0] == 200
        assert f"content-length: {got[1]['content-length']}" in head.decode().lower()
        assert (head.split()[1], rest) == (b"200", b"")
