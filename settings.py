"""The settings: everything that may differ between two installations, read once and handed down.

This is the only module that reads the environment. Each setting is a variable `DUNNING_<NAME>`, or
a file `dunning_<name>` in the directory that `DUNNING_SECRETS_DIR` names (how container platforms
hand over secrets); a variable wins over a file. docs/settings.md is written from here. The
connection to Temporal (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
`TEMPORAL_TLS…`) is read by `temporalio.envconfig` and is none of our business.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "DUNNING_"
SECRETS_DIR = "DUNNING_SECRETS_DIR"


class SettingsError(ValueError):
    """The settings make no sense; the text names each variable and what to change."""


class Settings(BaseSettings):
    """All settings, frozen. Make one with `load_settings()`; in tests, with keyword arguments."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # a mistyped key must not end up in a log
        validate_default=True,
    )

    # Where things are
    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL, as `postgresql://user:password@host:5432/dunning`. Not set: the "
        "embedded one of `dunning serve`; the production worker and API refuse to start.",
    )
    state_dir: Path = Field(
        Path(".dunning"),
        description="Directory of everything the embedded services keep.",
    )
    host: str = Field(
        "127.0.0.1",
        description="Address on which `dunning serve` offers the API.",
    )
    api_port: int = Field(8080, ge=0, le=65535, description="Port of the API; 0 takes a free one.")
    temporal_port: int = Field(
        7233, ge=0, le=65535, description="Port of the embedded Temporal; 0 takes a free one."
    )
    temporal_ui_port: int = Field(
        8233, ge=0, le=65535, description="Port of the embedded Temporal UI; 0 takes a free one."
    )
    public_base_url: str | None = Field(
        None,
        description="How the outside reaches the API, as `https://dunning.example.com`. With "
        "https the API tells browsers to come back by https only.",
    )

    # Work
    task_queue: str = Field(
        "dunning",
        pattern=r"^[a-z0-9][a-z0-9-]{0,40}$",
        description="Name of the Temporal task queue; each channel's own queue starts with it.",
    )
    worker_threads: int = Field(
        20, ge=1, le=500, description="Activities that one worker process runs at the same time."
    )
    deployment_name: str = Field(
        "dunning", description="Name of the worker deployment, if `DUNNING_BUILD_ID` is set."
    )
    build_id: str | None = Field(
        None,
        description="Version of this worker. Set: customers who are in the middle of a run finish "
        "it on the version that began it. Not set: no worker versioning.",
    )

    # Messages
    sendgrid_api_key: SecretStr | None = Field(
        None, description="Key of SendGrid, `SG.…`. Not set: emails go to the outbox."
    )
    sendgrid_host: str | None = Field(
        None,
        description="Another address of SendGrid's API, as `https://api.eu.sendgrid.com`.",
    )
    outbox_dir: Path | None = Field(
        None,
        description="Directory for messages of channels without a key. Not set: `outbox` in "
        "`DUNNING_STATE_DIR`.",
    )

    # Limits
    max_body_bytes: int = Field(
        10_000_000, ge=1_000, description="Largest request body, in bytes; imports have their own."
    )
    max_import_bytes: int = Field(
        200_000_000, ge=1_000, description="Largest file of an import, in bytes."
    )

    # Watching
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

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        """Accept the spellings in use; SQLAlchemy needs the driver's name."""
        if value is None:
            return None
        scheme, separator, rest = value.get_secret_value().partition("://")
        if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
            raise ValueError("must begin with postgresql://")
        return SecretStr(f"postgresql+psycopg://{rest}")

    @field_validator("public_base_url", "sendgrid_host")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("must begin with https:// (or http://)")
        return value.rstrip("/") if value else None

    @property
    def outbox(self) -> Path:
        """Directory of the outbox, chosen or default."""
        return self.outbox_dir or self.state_dir / "outbox"

    def require_database_url(self) -> str:
        """The database of a production process. Raises `SettingsError` if none is set."""
        if not self.database_url:
            raise SettingsError(
                "DUNNING_DATABASE_URL is not set: give it the address of a PostgreSQL, or start "
                "everything on this machine with `dunning serve`"
            )
        return self.database_url.get_secret_value()


def load_settings() -> Settings:
    """Read the settings. Raises `SettingsError`, never showing a value."""
    _refuse_typos()
    secrets_dir = os.environ.get(SECRETS_DIR) or None
    if secrets_dir and not Path(secrets_dir).is_dir():
        raise SettingsError(f"{SECRETS_DIR}: {secrets_dir} is not a directory")
    try:
        return Settings(_secrets_dir=secrets_dir)
    except ValidationError as error:
        problems = [
            f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" if e["loc"] else e["msg"]
            for e in error.errors(include_input=False, include_url=False)
        ]
        cleaned = [problem.replace("Value error, ", "") for problem in problems]
        raise SettingsError("; ".join(cleaned)) from None


def _refuse_typos() -> None:
    """Refuse DUNNING_DATABSE_URL. Names further off are somebody else's (service links, say)."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields] + [SECRETS_DIR]
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            meant = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
            if meant:
                raise SettingsError(f"{name} is not a setting: did you mean {meant[0]}?")
