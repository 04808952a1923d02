"""HEAD, and query parameters, of every endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from stand_ins.office import Office
from tests.cast.operations import operations


def test_head_answers_as_get_without_a_body(office: Office, subtests: pytest.Subtests) -> None:
    office.acme()
    for path in (
        "/customers",
        "/customers/C-1",
        "/invoices/INV-1",
        "/organisation",
        "/nothing",
        "/customers/C-9",
        "/customers?limit=0",
        "/actions",
        "/plans/Standard",
        "http://dunning/healthz",
        "http://dunning/readyz",
        "http://dunning/openapi.json",
        "http://dunning/docs",
        "http://dunning/",
    ):
        with subtests.test(path=path):
            got, head = office.ben("GET", path), office.ben("HEAD", path)
            assert head.status_code == got.status_code
            assert {**head.headers, "x-request-id": ""} == {**got.headers, "x-request-id": ""}
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


def test_an_unknown_query_parameter_is_refused_by_name_on_every_endpoint(
    office: Office, app: FastAPI, subtests: pytest.Subtests
) -> None:
    tried = 0
    for path, method, op in operations(app):
        known = [p["name"] for p in op.get("parameters", ()) if p["in"] == "query"]
        for by in (office.ada, office.billing):
            with subtests.test(method=method, path=path):
                problem = by.fails(422, method.upper(), f"http://dunning{path}?statsu=open&x=1&x=2")
                told = {e["where"]: e["reason"] for e in problem["errors"]}
                assert list(told) == ["query statsu", "query x"]
                assert all(name in told["query statsu"] for name in known)
        tried += 1
    assert tried > 70


def test_a_query_parameter_that_is_there_twice_is_refused(office: Office) -> None:
    problem = office.ben.fails(422, "GET", "/customers?limit=1&limit=2")
    assert problem["errors"] == [{"where": "query limit", "reason": "is there twice"}]
    office.ben.get("/customers", limit=1)


def test_without_a_key_an_unknown_query_parameter_is_not_named(office: Office) -> None:
    office.caller(None).fails(401, "GET", "/customers?statsu=open")


def test_callbacks_and_short_links_may_have_any_query(office: Office) -> None:
    for path in ("/docs?x=1", "/openapi.json?x=1"):
        assert office.ben("GET", f"http://dunning{path}").status_code == 200
    for path in ("/webhooks/sendgrid?x=1&x=2&%FC=1", "/webhooks/twilio/inbound?bodySHA256=1"):
        assert office.ben("POST", f"http://dunning{path}").status_code == 503  # closed: no key
    assert (
        office.ben("GET", "http://dunning/l/unknown?utm_source=sms&utm_source=x").status_code == 404
    )


TWICE = [
    ('{"name": "a", "name": "b"}', "/name"),
    ('{"name": "a", "na\\u006de": "b"}', "/name"),
    ('{"name": "a", "contacts": [{}, {"email": "", "email": ""}]}', "/contacts/1/email"),
    (
        '{"name": "a", "contacts": [{"postal": {"city": "x", "a~/b": 1, "a~/b": 1}}]}',
        "/contacts/0/postal/a~0~1b",
    ),
    ('{"plan": {"x": 1, "x": 2}, "name": 1, "plan": null}', "/plan"),
]


@pytest.mark.parametrize(("content", "where"), TWICE)
def test_a_repeated_name_in_json_is_refused_with_its_place(
    office: Office, content: str, where: str
) -> None:
    wrong = [{"where": where, "reason": "is there twice"}]
    json_kind = {"headers": {"Content-Type": "application/json"}, "content": content}
    problem = office.billing.fails(422, "PUT", "/customers/C-1", **json_kind)
    assert problem["errors"] == wrong
    office.billing.fails(404, "GET", "/customers/C-1")


def test_a_repeated_name_is_refused_in_every_json_body(
    office: Office, app: FastAPI, subtests: pytest.Subtests
) -> None:
    tried = 0
    for path, method, op in operations(app):
        if "application/json" not in op.get("requestBody", {}).get("content", {}):
            continue
        more: dict[str, Any] = {"headers": {"Content-Type": "application/json"}}
        with subtests.test(method=method, path=path):
            who = office.billing if op["tags"] == ["billing"] else office.ada
            answers = [
                by(
                    method.upper(),
                    f"http://dunning{path}",
                    content='{"a": {"b": 1, "b": 2}}',
                    **more,
                )
                for by in (who, office.ada, office.billing)
            ]
            told = [a.json()["errors"] for a in answers if a.status_code == 422]
            assert [{"where": "/a/b", "reason": "is there twice"}] in told
        tried += 1
    assert tried > 30
