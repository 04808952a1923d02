"""Encrypted cursors of keyset pagination: they show no data, and work only for the list and the
organisation that they were made for.

AES-SIV (RFC 5297) with the key's version, the organisation and the query as associated data. It
needs no nonce, so any number of processes can use one key. The keys are rows, so that every process
has them: the newest encrypts, each of them decrypts.
"""

from __future__ import annotations

import base64
import binascii
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlmodel import col, select

from dunning.ids import OrganisationId
from store import tables as t
from store.unit import Unit

_KEY_BYTES = 64  # AES-256, twice
_VERSION_BYTES = 4


def seal(unit: Unit, asked: str, place: str) -> str:
    """The cursor of a place in the list that was ``asked`` for, in characters that a URL may hold.
    The first call makes the key. Its length shows that of ``place``: pad what must not be guessed.
    """
    row = unit.session.exec(select(t.CursorKey).order_by(col(t.CursorKey.version).desc())).first()
    if row is None:
        row = t.CursorKey(key=secrets.token_bytes(_KEY_BYTES))
        unit.session.add(row)
        unit.session.flush()
    version = (row.version or 0).to_bytes(_VERSION_BYTES, "big")
    sealed = AESSIV(row.key).encrypt(place.encode(), _about(version, unit.organisation_id, asked))
    return _text(version + sealed)


def unseal(unit: Unit, asked: str, cursor: str) -> str | None:
    """The place; None for a cursor that was made for another organisation or list, was changed, or
    whose key is gone."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        inside = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (UnicodeError, binascii.Error):
        return None
    version, sealed = inside[:_VERSION_BYTES], inside[_VERSION_BYTES:]
    row = unit.session.get(t.CursorKey, int.from_bytes(version, "big"))
    if row is None or _text(inside) != cursor:  # base64 has several spellings of the same bytes
        return None
    try:
        return (
            AESSIV(row.key).decrypt(sealed, _about(version, unit.organisation_id, asked)).decode()
        )
    except (InvalidTag, ValueError):
        return None


def _text(inside: bytes) -> str:
    return base64.urlsafe_b64encode(inside).decode().rstrip("=")


def _about(version: bytes, organisation_id: OrganisationId, asked: str) -> list[bytes]:
    return [version, organisation_id.bytes, asked.encode()]
