"""The operations of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI


def operations(app: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    paths: dict[str, dict[str, dict[str, Any]]] = app.openapi()["paths"]
    return [(path, method, op) for path, found in paths.items() for method, op in found.items()]


#: Operations without a key: an invited member creates the first key.
WITHOUT_KEY = {"/v1/invitations/exchange"}
