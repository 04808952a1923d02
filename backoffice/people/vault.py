"""Encrypts the credentials of organisations (Fernet: AES-128-CBC, HMAC-SHA256).

The first key encrypts, all of them decrypt. To change the key: put a new one first, encrypt
everything again (``provider_accounts.seal_anew``), remove the old one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from store.errors import DunningError


class NoKey(DunningError):
    """There is no key to encrypt or decrypt credentials, or none of the keys fits."""

    status = 503
    title = "No key for credentials"
    slug = "no-secret-key"


class Vault:
    """``keys``: Fernet keys, the newest first; without keys nothing can be stored or read. Raises
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
