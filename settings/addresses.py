"""The addresses of the database, the embedded servers and the API."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from settings.values import SettingsError, WebAddress


class Addresses(BaseSettings):
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
    public_base_url: WebAddress = Field(
        None,
        description="How the outside reaches the API, as `https://dunning.example.com`. With "
        "https the API tells browsers to come back by https only.",
    )

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        """Accepts the usual spellings; SQLAlchemy needs the driver's name."""
        if value is None:
            return None
        scheme, separator, rest = value.get_secret_value().partition("://")
        if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
            raise ValueError("must begin with postgresql://")
        return SecretStr(f"postgresql+psycopg://{rest}")

    def require_database_url(self) -> str:
        """The database of a production process. Raises `SettingsError` if none is set."""
        if not self.database_url:
            raise SettingsError(
                "DUNNING_DATABASE_URL is not set: give it the address of a PostgreSQL, or start "
                "everything on this machine with `dunning serve`"
            )
        return self.database_url.get_secret_value()
