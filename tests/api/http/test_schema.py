"""The OpenAPI document is complete, and the API answers as it says (Schemathesis)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok

from api.outside.webhooks import Signers
from backoffice.people.vault import Vault, new_secret_key
from stand_ins.office import Office
from tests.cast.operations import WITHOUT_KEY, operations


def test_every_endpoint_says_what_it_is(app: FastAPI) -> None:
    seen = set()
    for path, method, op in operations(app):
        where = f"{method} {path}"
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", op["operationId"]), where
        assert op["operationId"] not in seen, where
        seen.add(op["operationId"])
        assert len(op["tags"]) == 1, where
        assert op["description"], where
        if path.startswith("/v1/"):
            assert ("security" in op) == (path not in WITHOUT_KEY), where
            for status in ("401", "403", "404", "422", "429", "500", "503"):
                content = op["responses"][status]["content"]
                assert list(content) == ["application/problem+json"], where


def test_every_name_in_the_document_is_there(app: FastAPI) -> None:
    document = app.openapi()
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    refs = set(re.findall(r"'\$ref': '([^']+)'", str(document)))
    assert refs <= known
    paths = [re.sub(r"{\w+}", "{}", path) for path in document["paths"]]
    assert len(set(paths)) == len(paths)  # the same place under one name of its parameter


#: What is right on paper may still be refused: an unknown customer, a date of yesterday.
NOT_HELD = {"positive_data_acceptance", "use_after_free", "ensure_resource_availability"}


EXAMPLES = 1
NEGATIVE = GenerationMode.NEGATIVE


def as_it_is(_ctx: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


for kind in ("application/pdf", "application/octet-stream"):
    schemathesis.serializer(kind)(as_it_is)


#: Headers of every answer, from the server or for browsers.
PLAIN = {
    "cache-control",
    "connection",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-resource-policy",
    "date",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
}


@schemathesis.check
def every_header_is_declared(_ctx: Any, response: Any, case: Any) -> None:
    answers = case.operation.definition.raw["responses"]
    known = {name.lower() for name in answers[str(response.status_code)].get("headers", {})}
    assert set(map(str.lower, response.headers)) - PLAIN <= known, dict(response.headers)


@pytest.fixture
def sealed(app: FastAPI) -> Iterator[None]:
    """The API has a key to seal accounts of providers with, and a public address."""
    before = app.state.signers
    app.state.signers = Signers({}, Vault((new_secret_key(),)), "https://dunning.example")
    yield
    app.state.signers = before


@pytest.mark.slow
def test_every_answer_is_declared_in_the_document(
    office: Office, app: FastAPI, sealed: None
) -> None:
    action = office.bens_call()["id"]
    office.ben.does("PATCH", f"/actions/{action}", {"type": "email", "subject": "", "body": ""})
    form = {"file": ("a.pdf", b"%PDF-", "application/pdf")}
    attached = office.ben("POST", f"/actions/{action}/attachments", files=form).json()
    there = {
        "action": action,
        "file": attached["attachments"][0]["id"],
        "provider": "lob",
        "customer": "C-1",
        "invoice": "INV-1",
        "contact": "eve",
        "name": "Standard",
        "member": "cleo@amber.example",
        "delivery": office.ada.get("/outbox")["items"][0]["delivery_id"],
    }
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app
    wrong = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        needs = operation.definition.raw.get("security", [])
        who = office.billing if needs == [{"key": ["billing"]}] else office.ada
        if "actions" in (operation.tags or []):
            who = office.ben
        names = set(re.findall(r"{(\w+)}", operation.path))
        places = {n: there[n] for n in names} if names <= set(there) else {}
        for more in ({"path_parameters": places} if places else {}, {"generation_mode": NEGATIVE}):
            cases = operation.as_strategy(**more)
            wrong += [f"{operation.label}: {e}" for e in broken(cases, who.headers)]
    assert not wrong, "\n\n".join(wrong)


def broken(cases: SearchStrategy[schemathesis.Case[Any]], headers: dict[str, str]) -> list[Any]:
    """Compares an operation with its description, with the same cases in every run."""
    checks: list[Any] = [
        CHECKS.get_one(name) for name in CHECKS.get_all_names() if name not in NOT_HELD
    ]

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def holds(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(headers=headers, checks=checks)

    try:
        holds()
    except Unsatisfiable:  # there is nothing that it could be given
        return []
    except BaseExceptionGroup as group:
        return list(group.exceptions)
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this operation
        return [error]
    return []
