"""The channels of organisations that have their own account at a provider."""

from __future__ import annotations

from datetime import datetime

from backoffice.people import provider_accounts
from backoffice.people.vault import Vault
from dunning.ids import OrganisationId
from dunning.plan import ActionType
from providers.port import Channel
from providers.registry import account, channel, offered_for
from store.unit import Unit


class OwnAccounts:
    """Makes the channel of an organisation's own account for a type of message; None if it has no
    such account. A channel is cached until its credentials change. ``public_url``: our public
    address."""

    def __init__(self, vault: Vault, public_url: str) -> None:
        self._vault = vault
        self._public_url = public_url
        self._made: dict[tuple[OrganisationId, str], tuple[datetime, Channel]] = {}

    def __call__(self, unit: Unit, kind: ActionType) -> Channel | None:
        """Raises NoKey if none of our keys decrypts the credentials: the installation's account
        does not replace it."""
        rows = [
            row
            for provider in offered_for(kind)
            if (row := provider_accounts.find(unit, provider)) is not None
        ]
        if not rows:
            return None
        row = max(rows, key=lambda row: row.updated_at)  # the newest
        known = self._made.get((unit.organisation_id, row.provider))
        if known is not None and known[0] == row.updated_at:
            return known[1]
        own = account(row.provider, self._vault.open(row.sealed))
        made = channel(row.provider, own, self._public_url)
        self._made[unit.organisation_id, row.provider] = (row.updated_at, made)
        return made
