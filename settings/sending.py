"""Rates of sending, the outbox, the keys of organisations' accounts, look-ups."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from settings.values import parts


class Sending(BaseSettings):
    outbox_webhook_key: SecretStr | None = Field(
        None,
        description="Key that signs what `dunning outbox simulate` reports. `dunning serve` makes "
        "one by itself. Not set in production: such reports are refused.",
    )
    secret_keys: SecretStr | None = Field(
        None,
        description="Keys that seal the organisations' own accounts at providers, separated by "
        "commas, the newest first. `dunning serve` makes one by itself. Not set in production: "
        "organisations cannot have accounts of their own.",
    )
    email_per_second: float = Field(
        100, gt=0, le=10_000, description="Most emails a second, over all workers."
    )
    sms_per_second: float = Field(
        10, gt=0, le=10_000, description="Most SMS a second, over all workers."
    )
    letters_per_second: float = Field(
        10, gt=0, le=10_000, description="Most letters a second, over all workers."
    )
    look_up_minutes: str = Field(
        "1,5,15,60",
        description="When a provider whose answer was lost is asked whether it has the message: "
        "minutes after that, rising, separated by commas. Then its owner is asked.",
    )
    outbox_dir: Path | None = Field(
        None,
        description="Directory for messages of channels without a key. Not set: `outbox` in "
        "`DUNNING_STATE_DIR`.",
    )

    @field_validator("look_up_minutes")
    @classmethod
    def _check_minutes(cls, value: str) -> str:
        try:
            minutes = [float(part) for part in value.split(",")]
        except ValueError:
            raise ValueError("must be minutes, as 1,5,15,60") from None
        if any(not 0 < m <= 10_080 for m in minutes) or minutes != sorted(set(minutes)):
            raise ValueError("must rise, each above 0 and at most 10080 (a week)")
        return value

    @property
    def look_up_after(self) -> tuple[timedelta, ...]:
        """When the provider is asked for the message, counted from the lost answer."""
        return tuple(timedelta(minutes=float(part)) for part in self.look_up_minutes.split(","))

    @property
    def secret_key_list(self) -> tuple[str, ...]:
        return parts(self.secret_keys)

    @property
    def outbox_webhook_keys(self) -> tuple[str, ...]:
        return parts(self.outbox_webhook_key)
