"""The channel of an organisation that has an account of its own at a provider."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlmodel import Session

from backoffice.people import credentials
from backoffice.people.credentials import Vault
from dunning.plan import ActionType
from providers.port import Channel
from providers.registry import PROVIDER, account, channel
from store import tables as t


class OwnAccounts:
    """Answers None where the installation's account serves. A channel is made once for as long as
    its credentials stand. ``public_url`` is our public address."""

    def __init__(self, vault: Vault, public_url: str) -> None:
        self._vault = vault
        self._public_url = public_url
        self._made: dict[tuple[uuid.UUID, str], tuple[datetime, Channel]] = {}

    def __call__(
        self, session: Session, organisation: t.Organisation, kind: ActionType
    ) -> Channel | None:
        """Raises NoKey when none of our keys opens the credentials: nothing is sent from another
        account instead."""
        provider = PROVIDER[kind]
        row = credentials.find(session, organisation.id, provider)
        if row is None:
            return None
        known = self._made.get((organisation.id, provider))
        if known is not None and known[0] == row.updated_at:
            return known[1]
        made = channel(account(provider, self._vault.open(row.sealed)), self._public_url)
        self._made[organisation.id, provider] = (row.updated_at, made)
        return made
