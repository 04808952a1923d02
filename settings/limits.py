"""Limits of requests: size, rate, proxies, and time for the database."""

from __future__ import annotations

from ipaddress import ip_network

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from settings.values import parts


class Limits(BaseSettings):
    max_body_bytes: int = Field(
        10_000_000,
        ge=1_000,
        description="Largest body of a batch, in bytes. That of other requests is 1,000,000 at "
        "most; imports have their own.",
    )
    max_import_bytes: int = Field(
        200_000_000, ge=1_000, description="Largest file of an import, in bytes."
    )
    body_seconds: float = Field(
        20,
        gt=0,
        le=3600,
        description="Longest wait for more of a request's body. After as long a body must have "
        "come with 4,096 bytes a second.",
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="Addresses and networks of the proxies in front of the API, separated by "
        "commas: what they say of their client (`X-Forwarded-For`, `X-Forwarded-Proto`) and their "
        "`X-Request-Id` are believed. `*` believes everybody, where nobody but the proxy reaches "
        "the API.",
    )
    request_seconds: float = Field(
        4.5,
        gt=0,
        le=3600,
        description="How long a request of the API waits for the database altogether; then it is "
        "answered 503. A batch waits a minute, imports for each statement.",
    )
    ready_seconds: float = Field(
        0.6, gt=0, le=60, description="The same for `/readyz`; whoever asks waits a bit longer."
    )
    statement_seconds: float = Field(
        15,
        gt=0,
        le=3600,
        description="How long PostgreSQL may take for one statement; then it is ended, and a "
        "connection on which nothing is answered is closed.",
    )
    import_statement_seconds: float = Field(
        600, gt=0, le=86_400, description="The same for a statement of an import."
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for part in parts(value):
            try:
                if part != "*":
                    ip_network(part)
            except ValueError:
                raise ValueError(
                    f"{part} is no address and no network, as 10.0.0.5 or 10.0.0.0/8"
                ) from None
        return value

    @property
    def trusted_proxy_list(self) -> list[str]:
        found = parts(self.trusted_proxies)
        return ["*"] if "*" in found else list(found)
