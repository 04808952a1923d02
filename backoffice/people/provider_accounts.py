"""An organisation's own accounts at the providers; their credentials are encrypted (``vault``)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session, select

from backoffice.people.held_accounts import account_changed
from backoffice.people.vault import Vault
from store import tables as t
from store.errors import NotFound
from store.unit import Unit


def put(
    unit: Unit, vault: Vault, provider: str, credentials: dict[str, Any], shown: dict[str, Any]
) -> t.ProviderAccount:
    """Stores or replaces an organisation's account. ``shown``: what members may read of it."""
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
    account_changed(unit, provider)
    return row


def find(unit: Unit, provider: str) -> t.ProviderAccount | None:
    return unit.session.get(t.ProviderAccount, (unit.organisation_id, provider))


def remove(unit: Unit, provider: str) -> None:
    """Removes the own account: the installation's is used. NotFound if there is none."""
    row = find(unit, provider)
    if row is None:
        raise NotFound(f"no own account at {provider!r}")
    unit.session.delete(row)
    unit.session.flush()
    account_changed(unit, provider)


def every(unit: Unit) -> list[t.ProviderAccount]:
    return list(
        unit.session.exec(
            select(t.ProviderAccount)
            .where(t.ProviderAccount.organisation_id == unit.organisation_id)
            .order_by(t.ProviderAccount.provider)
        )
    )


def seal_anew(session: Session, vault: Vault) -> int:
    """Encrypts the credentials of every organisation with the newest key; returns how many."""
    rows = session.exec(select(t.ProviderAccount).with_for_update()).all()
    for row in rows:
        row.sealed = vault.seal(vault.open(row.sealed))
    session.flush()
    return len(rows)
