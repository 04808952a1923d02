"""The OpenAPI document as a generator of clients reads it: operations, models, files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from api.app import create_app
from api.http.auth import principal
from settings import Settings
from stand_ins.office import PLAN, Office
from store.engine import connect
from tests.cast.operations import operations

MODELS = "#/components/schemas/"


def models(app: FastAPI) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = app.openapi()["components"]["schemas"]
    return found


def test_every_model_has_a_name_of_its_own(app: FastAPI) -> None:
    """Generators make class names and drop what is no letter or digit."""
    found = models(app)
    classes = Counter(re.sub(r"[^a-z0-9]", "", name.lower()) for name in found)
    assert [name for name, count in classes.items() if count > 1] == []
    for name, model in found.items():
        assert re.fullmatch(r"[A-Z][A-Za-z]+", name), f"{name} is a name that FastAPI made"
        assert model.get("title", name) == name, f"two models are called {model['title']}"


def test_every_model_is_used(app: FastAPI) -> None:
    used = set(re.findall(rf"'{MODELS}(\w+)'", str(app.openapi())))
    assert set(models(app)) - used == set()


def dependencies(dependant: Any) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner
        yield from dependencies(inner)


def scopes_of(dependant: Any) -> set[str]:
    return {*(dependant.own_oauth_scopes or ()), *(dependant.parent_oauth_scopes or ())}


def test_the_scope_of_an_operation_is_the_one_that_is_enforced(app: FastAPI) -> None:
    """The scopes in the document are those of the dependency that refuses other keys."""
    paths, seen = app.openapi()["paths"], Counter[str]()
    for route in iter_route_contexts(app.routes):
        for method in route.methods or ():
            operation = paths.get(route.path, {}).get(method.lower())
            if operation is None:
                continue
            original: Any = route.original_route
            asked = [d for d in dependencies(original.dependant) if d.call is principal]
            scopes = {scope for d in asked for scope in scopes_of(d)}
            told = [need["key"] for need in operation.get("security", ())]
            where = f"{method} {route.path}"
            if not asked:
                assert told == [], where
            elif not scopes:
                assert told == [["member"], ["billing"]], where
            else:
                assert [set(one) for one in told] == [scopes], where
            seen[str(told)] += 1
    assert len(seen) == 5, seen  # none, any, billing, member, admin


def test_a_key_of_another_scope_is_refused_by_every_operation(office: Office, app: FastAPI) -> None:
    """By requests: a key of another scope is answered with 403 and the scope that is needed."""
    office.acme()
    callers = {"member": office.ben, "billing": office.billing, "admin": office.ada}
    can = {"member": {"member"}, "billing": {"billing"}, "admin": {"member", "admin"}}
    for path, method, operation in operations(app):
        needs = [set(need["key"]) for need in operation.get("security", ())]
        for name, call in callers.items():
            if not needs or any(need <= can[name] for need in needs):
                continue
            answer = call(method.upper(), re.sub(r"{\w+}", "x", path.removeprefix("/v1")), json={})
            assert answer.status_code == 403, f"{name}: {method} {path}: {answer.text}"
            assert "insufficient_scope" in answer.headers["WWW-Authenticate"]


FORM = "multipart/form-data"
FILES = {"application/pdf", "application/octet-stream", "image/png", "image/jpeg"}


def test_files_are_declared_as_bytes_of_a_type_that_generators_know(app: FastAPI) -> None:
    bodies, answers = [], []
    for _, _, operation in operations(app):
        bodies.append(operation.get("requestBody", {}).get("content", {}))
        answers += [answer.get("content", {}) for answer in operation["responses"].values()]
    binary = {"type": "string", "format": "binary"}
    found = [content for content in (*bodies, *answers) if FILES & set(content)]
    assert len(found) == 3
    for content in found:
        assert "application/octet-stream" in content
        assert all(one["schema"] == binary for one in content.values())
    forms = [
        content["multipart/form-data"] for content in bodies if "multipart/form-data" in content
    ]
    assert len(forms) == 2
    assert all(form["schema"]["properties"]["file"] == binary for form in forms)


def test_a_pdf_may_be_sent_and_asked_for_as_bytes(office: Office) -> None:
    office.acme()
    sent = {"Content-Type": "application/octet-stream"}
    body = b"%PDF-1.7 of ours"
    assert (
        office.billing("PUT", "/invoices/INV-1/pdf", content=body, headers=sent).status_code == 200
    )
    for accept, kind in (("*/*", "application/pdf"), (sent["Content-Type"], sent["Content-Type"])):
        answer = office.ben("GET", "/invoices/INV-1/pdf", headers={"Accept": accept})
        assert (answer.content, answer.headers["Content-Type"]) == (body, kind)
    wrong = office.billing("PUT", "/invoices/INV-1/pdf", content=b"GIF89a", headers=sent)
    assert wrong.status_code == 422


def test_every_answer_says_its_headers(app: FastAPI) -> None:
    always = {"401": "WWW-Authenticate", "405": "Allow", "429": "Retry-After", "503": "Retry-After"}
    for path, method, operation in operations(app):
        for status, answer in operation["responses"].items():
            headers = answer["headers"]
            assert headers["X-Request-Id"]["required"], f"{method} {path} {status}"
            if status in always:
                assert headers[always[status]]["required"], f"{method} {path} {status}"
            if status == "403":  # a rule may refuse as well, and no other key would help
                assert "WWW-Authenticate" in headers, f"{method} {path}"


def test_the_headers_that_are_promised_are_sent(office: Office) -> None:
    nobody = office.ada("GET", "/me", headers={"Authorization": ""})
    assert nobody.headers["WWW-Authenticate"].startswith("Bearer")
    refused = office.ada("DELETE", "/plans/check")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, POST, PUT")
    assert office.ada.does("PUT", "/plans/Standard", PLAN)
    assert all(
        answer.headers["X-Request-Id"] for answer in (nobody, refused, office.ben("GET", "/plans"))
    )


@pytest.mark.parametrize(
    ("public", "server"),
    [(None, "/"), ("https://dunning.example.com/", "https://dunning.example.com")],
)
def test_the_document_says_where_the_api_is(public: str | None, server: str) -> None:
    engine = connect("postgresql+psycopg://nowhere/nothing")
    document = create_app(Settings(public_base_url=public), engine).openapi()
    assert document["servers"] == [{"url": server}]
