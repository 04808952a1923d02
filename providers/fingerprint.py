"""The mark of an account at a provider: it can be stored and compared, and reveals no secret.

It is the SHA-256 of what identifies the account; keys as long as the providers' cannot be guessed
from it. Twilio's accounts have an id, which stays when a token or an API key is replaced. SendGrid
and Lob give us only the API key, so a replaced key counts as another account.
"""

from __future__ import annotations

import hashlib


def fingerprint(*parts: str) -> str:
    """32 hexadecimal digits; the same for the same parts in the same order."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def signer_of(provider: str, key: str) -> str:
    """The mark of a key that signs a provider's callbacks."""
    return fingerprint("signer", provider, key)
