"""Logs and metrics."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


class Watching(BaseSettings):
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level that is logged: DEBUG, INFO, WARNING or ERROR."
    )
    log_json: bool = Field(False, description="Log one JSON object per line.")
    metrics_bind_address: str | None = Field(
        None,
        pattern=r"^[^:/]+:\d{1,5}$",
        description="Where the worker offers Prometheus metrics, as `127.0.0.1:9464`; each process "
        "needs its own port. Not set: no metrics.",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value
