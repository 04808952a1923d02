"""The outbox as an account. There is one, for all keys that sign its simulated callbacks."""

from __future__ import annotations

from dataclasses import dataclass, field

from providers.fingerprint import fingerprint

OUTBOX_ACCOUNT = fingerprint("outbox")


@dataclass(frozen=True, slots=True)
class OutboxAccount:
    webhook_keys: tuple[str, ...] = field(default=(), repr=False)

    @property
    def mark(self) -> str:
        return OUTBOX_ACCOUNT

    @property
    def signing_keys(self) -> tuple[str, ...]:
        return self.webhook_keys
