"""What an admin enters for an account at a provider, and which of it may be shown again."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from messages.lines import LINE_CONTROL

#: For descriptions of fields that can hold several keys.
ROTATION = "Two during a rotation."


class Fields(BaseModel):
    """Fields of a form. An unknown field is refused."""

    model_config = ConfigDict(extra="forbid")


class Form(Fields):
    """The fields of one account. The API's schema is made from it."""

    def credentials(self) -> dict[str, Any]:
        """What is encrypted and stored, in the form that the provider's ``account`` takes."""
        raise NotImplementedError

    def shown(self) -> dict[str, Any]:
        """What members may read later; of a secret only the last four characters."""
        raise NotImplementedError


def _line(value: str) -> str:
    if LINE_CONTROL.search(value):
        raise ValueError("has a control character or a line break")
    return value


def _named(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return _line(value)


Line = Annotated[str, Field(max_length=200), AfterValidator(_line)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_named)]
Secret = Annotated[SecretStr, Field(max_length=500)]
NeededSecret = Annotated[SecretStr, Field(min_length=1, max_length=500)]
Secrets = Annotated[list[NeededSecret], Field(max_length=5)]
Flag = Annotated[bool, Field(strict=True)]


def end_of(secret: SecretStr) -> str:
    """The end of a secret, to tell two keys apart; of a short secret nothing is shown."""
    value = secret.get_secret_value()
    return (f"…{value[-4:]}" if len(value) >= 16 else "…") if value else ""
