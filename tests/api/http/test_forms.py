"""Names of uploaded files in every encoding that clients use; unknown and repeated parts."""

from __future__ import annotations

from typing import Any

import pytest

from api.http.forms import extended_name
from stand_ins.office import Office
from tests.cast.bens_actions import bens_email
from tests.cast.office_files import PDF

UMLAUT = "UTF-8''M%C3%BCller%20%e2%82%ac.pdf"


def form(*dispositions: str, kind: str = "") -> dict[str, Any]:
    parts = b"".join(
        b"--b\r\nContent-Disposition: form-data; "
        + one.encode(errors="surrogateescape")
        + b"\r\n"
        + b"Content-Type: application/pdf\r\n\r\n"
        + PDF
        + b"\r\n"
        for one in dispositions
    )
    return {
        "content": parts + b"--b--\r\n",
        "headers": {"Content-Type": f"multipart/form-data; boundary=b{kind}"},
    }


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (f'name="file"; filename*={UMLAUT}', "Muller.pdf"),
        (f'name="file"; filename="fallback.pdf"; filename*={UMLAUT}', "Muller.pdf"),
        (f'filename*={UMLAUT}; filename="fallback.pdf"; name="file"', "Muller.pdf"),
        ("name=\"file\"; FileName*=iso-8859-1'de'M%FCller.pdf", "Muller.pdf"),
        ("name=\"file\"; filename*=utf-8''..%2F..%2Fa%22b%0D%0A.pdf", "a_b.pdf"),
        ('name="file"; filename="Müller.pdf"', "Muller.pdf"),
        ('name="file"; filename="x; filename*=UTF-8\'\'y.pdf"', "x_ filename_=UTF-8__y.pdf"),
    ],
)
def test_the_name_of_a_file_is_read_as_it_was_meant(
    office: Office, disposition: str, name: str
) -> None:
    path = bens_email(office)
    answer = office.ben("POST", f"{path}/attachments", **form(disposition))
    assert answer.status_code == 200, answer.text
    assert [file["name"] for file in answer.json()["attachments"]] == [name]


@pytest.mark.parametrize(
    "value",
    [
        "Müller.pdf",
        "UTF-8'Müller.pdf",
        "UTF-16''a.pdf",
        "UTF-8''M%FCller.pdf",
        "UTF-8''a%4",
        "",
        "''a.pdf",
        "x''a.pdf",
    ],
)
def test_a_name_that_cannot_be_read_is_refused(office: Office, value: str) -> None:
    path = bens_email(office)
    sent = form(f'name="file"; filename="a.pdf"; filename*={value}')
    problem = office.ben.fails(400, "POST", f"{path}/attachments", **sent)
    assert "UTF-8''M%C3%BCller.pdf" in problem["detail"]
    with pytest.raises(ValueError, match="filename"):
        extended_name(f"form-data; filename*={value}".encode())


def test_unknown_and_repeated_parts_are_refused(office: Office) -> None:
    path = bens_email(office)
    one, other = 'name="file"; filename="a.pdf"', 'name="note"'
    for sent, where in (
        (form(one, one), "/file"),
        (form(one, other), "/note"),
        (form(other), "/note"),
    ):
        problem = office.ben.fails(422, "POST", f"{path}/attachments", **sent)
        assert problem["errors"][0]["where"] == where
        problem = office.billing.fails(422, "POST", "/imports", **sent)
        assert problem["errors"][0]["where"] == where


@pytest.mark.parametrize("charset", ["idna", "punycode", "undefined", "base64", "utf-7", "x"])
def test_a_form_in_an_unknown_charset_is_not_answered_with_500(
    office: Office, charset: str
) -> None:
    path = bens_email(office)
    sent = form('name="file"; filename="\udcff\udcfe.pdf"', kind=f"; charset={charset}")
    answer = office.ben("POST", f"{path}/attachments", **sent)
    assert answer.status_code in (200, 400, 422), answer.text


def test_many_parameters_are_parsed_quickly() -> None:
    assert extended_name(b'form-data; name="file"' + b'; a="' * 100_000) is None
    assert extended_name(b"form-data" + b"; a" * 100_000 + b" " * 100_000) is None
