"""docker-compose.yml and the Dockerfile match the code that they start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.embedded.temporal import SEARCH_ATTRIBUTES
from settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded["services"]


def test_every_port_is_published_on_loopback_only(services: dict[str, dict[str, Any]]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_the_api_is_started_with_our_http_protocol_and_trusted_proxies(
    services: dict[str, dict[str, Any]],
) -> None:
    assert {"--http=api.http.protocol:Protocol", "--no-proxy-headers"} <= set(
        services["api"]["command"]
    )
    assert "172.16.0.0/12" in services["api"]["environment"]["DUNNING_TRUSTED_PROXIES"]


def test_every_dunning_variable_is_a_setting(services: dict[str, dict[str, Any]]) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    text = (ROOT / "docker-compose.yml").read_text() + (ROOT / "Dockerfile").read_text()
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+", text)) - known == set()
    for name in ("worker", "api", "migrate"):
        assert "DUNNING_DATABASE_URL" in services[name]["environment"]


def test_every_service_waits_for_one_that_exists_and_has_a_health_check(
    services: dict[str, dict[str, Any]],
) -> None:
    for service in services.values():
        for other, wait in service.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in services[other]
            else:
                assert services[other].get("restart") != "unless-stopped"


def test_the_temporal_namespace_gets_our_search_attributes(
    services: dict[str, dict[str, Any]],
) -> None:
    (script,) = services["temporal-namespace"]["command"]
    assert all(name in script for name in SEARCH_ATTRIBUTES)


def test_the_image_contains_every_package() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {
        "tests",
        "bench",
        "stand_ins",
    }
    assert packages - {line.removeprefix("!") for line in ignored} == set()
