"""Which account at a provider: a mark that can be stored and compared, and tells no secret.

SHA-256 of what tells accounts apart, which nobody turns back into a key of a provider's length.
Twilio has an id that stays when a token or an API key is replaced. SendGrid and Lob have the API
key alone: there a replaced key cannot be told from another account, and counts as one.
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
