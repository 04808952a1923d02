"""HEAD, and queries: what is true of every address."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from tests.api.conftest import Office
from tests.api.test_schema import operations


def test_head_answers_as_get_without_a_body(office: Office, subtests: pytest.Subtests) -> None:
    office.acme()
    for path in ("/customers", "/customers/C-1", "/invoices/INV-1", "/organisation", "/nothing",
                 "/customers/C-9", "/customers?limit=0", "/actions", "/plans/Standard",
                 "http://dunning/healthz", "http://dunning/readyz", "http://dunning/openapi.json",
                 "http://dunning/docs", "http://dunning/"):  # fmt: skip
        with subtests.test(path=path):
            got, head = office.ben("GET", path), office.ben("HEAD", path)
            assert head.status_code == got.status_code
            assert dict(head.headers) == dict(got.headers)
            assert int(head.headers["content-length"]) == len(got.content)
            assert head.content == b""
    anyone = office.caller(None)("HEAD", "/customers")
    assert (anyone.status_code, anyone.content) == (401, b"")
    assert office.ben("HEAD", "/batch").headers["allow"] == "POST"


def test_head_is_in_allow_where_get_is(office: Office, app: FastAPI) -> None:
    gets = [path for path, method, _ in operations(app) if method == "get"]
    for path in gets:
        allowed = office.ben("TRACE", f"http://dunning{path}").headers["allow"].split(", ")
        assert {"GET", "HEAD"} <= set(allowed), path
