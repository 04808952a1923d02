"""Types and parsing of the values, and the error for a wrong value."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, SecretStr

PREFIX = "DUNNING_"


class SettingsError(ValueError):
    """Wrong or missing settings; the text names each variable and what to change."""


def parts(value: SecretStr | str | None) -> tuple[str, ...]:
    """The parts of a list that is separated by commas."""
    text = plain(value) or ""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def plain(value: Any) -> Any:
    """The value itself; a secret in clear."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _web_address(value: str | None) -> str | None:
    if value is not None and not value.startswith(("https://", "http://")):
        raise ValueError("must begin with https:// (or http://)")
    return value.rstrip("/") if value else None


#: A web address without its final slash.
WebAddress = Annotated[str | None, AfterValidator(_web_address)]
