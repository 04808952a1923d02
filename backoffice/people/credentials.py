"""An organisation's own accounts at the providers, encrypted at rest (Fernet: AES-128-CBC, HMAC).

The first key seals, all of them open: put a new one in front, seal everything anew, drop the old.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlmodel import Session, select

from backoffice.people.held_accounts import account_changed
from store import tables as t
from store.errors import DunningError, NotFound
from store.unit import Unit


class NoKey(DunningError):
    """There is no key to seal or to open credentials with, or none of them fits."""

    status = 503
    title = "No key for credentials"
    slug = "no-secret-key"


class Vault:
    """``keys``: Fernet keys, the newest first; without any, nothing can be kept or read. Raises
    ValueError for a text that is no key."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None
        except ValueError:
            raise ValueError(
                "a secret key is 32 random bytes in URL-safe base64; make one with "
                "`dunning organisation secret-key`"
            ) from None

    def seal(self, data: dict[str, Any]) -> bytes:
        return self._need().encrypt(json.dumps(data, sort_keys=True).encode())

    def open(self, sealed: bytes) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self._need().decrypt(sealed))
        except InvalidToken:
            raise NoKey("none of the secret keys opens these credentials") from None
        return found

    def _need(self) -> MultiFernet:
        if self._fernet is None:
            raise NoKey("set DUNNING_SECRET_KEYS to keep accounts of organisations")
        return self._fernet


def new_secret_key() -> str:
    return Fernet.generate_key().decode()


def put(
    unit: Unit,
    vault: Vault,
    provider: str,
    credentials: dict[str, Any],
    shown: dict[str, Any],
) -> t.ProviderAccount:
    """Keep or replace an organisation's account. ``shown`` is what may be read again."""
    row = unit.session.get(t.ProviderAccount, (unit.organisation_id, provider))
    sealed = vault.seal(credentials)
    if row is None:
        row = t.ProviderAccount(
            organisation_id=unit.organisation_id, provider=provider, sealed=sealed
        )
        unit.session.add(row)
    row.sealed, row.shown = sealed, shown
    row.updated_at, row.updated_by = datetime.now(UTC), unit.by
    unit.session.flush()
    account_changed(unit.session, unit.organisation_id, provider, row.updated_at)
    return row


def find(unit: Unit, provider: str) -> t.ProviderAccount | None:
    return unit.session.get(t.ProviderAccount, (unit.organisation_id, provider))


def remove(unit: Unit, provider: str) -> None:
    """Back to the installation's account. NotFound when there is none of their own."""
    row = find(unit, provider)
    if row is None:
        raise NotFound(f"no own account at {provider!r}")
    unit.session.delete(row)
    unit.session.flush()
    account_changed(unit.session, unit.organisation_id, provider, datetime.now(UTC))


def every(unit: Unit) -> list[t.ProviderAccount]:
    return list(
        unit.session.exec(
            select(t.ProviderAccount)
            .where(t.ProviderAccount.organisation_id == unit.organisation_id)
            .order_by(t.ProviderAccount.provider)
        )
    )


def seal_anew(session: Session, vault: Vault) -> int:
    """Seal every account with the newest key; returns how many there are."""
    rows = session.exec(select(t.ProviderAccount).with_for_update()).all()
    for row in rows:
        row.sealed = vault.seal(vault.open(row.sealed))
    session.flush()
    return len(rows)
