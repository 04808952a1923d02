"""The mark of an account at a provider: it can be stored and compared, and reveals no secret.

It is a SHA-256 of what tells accounts apart; a key as long as a provider's cannot be guessed from
it. Twilio's accounts have an id, which stays when a token or an API key is replaced. SendGrid and
Lob give us only the API key: a replaced key looks like another account, and counts as one.
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
