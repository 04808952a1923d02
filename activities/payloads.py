"""What crosses over to Temporal: dataclasses as JSON, errors without values; encrypted by our keys.

Encrypted are the inputs and results of sequences, activities, signals and queries, summaries,
details, and the words of failures. Not encrypted are what Temporal must read itself: ids of
workflows and activities, names of types, signals, queues and search attributes with their values,
fairness keys, and times.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, PayloadCodec

from activities.failures import PlainFailures, SealedFailures

_ENCODING = b"binary/encrypted"


class CannotDecrypt(ValueError):
    """None of DUNNING_TEMPORAL_KEYS opens a payload: give the key back that it was sealed with."""


class Encryption(PayloadCodec):
    """Fernet (AES-128-CBC with HMAC). The first key encrypts, all of them decrypt; what was not
    encrypted is read as it is. Raises ValueError for a text that is no key."""

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise ValueError(
                "a key is 32 random bytes in URL-safe base64; make one with `dunning temporal key`"
            ) from None

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [
            Payload(
                metadata={"encoding": _ENCODING, "cipher": b"fernet"},
                data=self._fernet.encrypt(payload.SerializeToString()),
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Raises CannotDecrypt."""
        return [self._open(payload) for payload in payloads]

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != _ENCODING:
            return payload
        try:
            return Payload.FromString(self._fernet.decrypt(payload.data))
        except InvalidToken:
            raise CannotDecrypt from None


def data_converter(keys: Sequence[str] = ()) -> DataConverter:
    """Of every client of ours. Without keys nothing is encrypted, and nothing that is can be read.
    Raises ValueError for a text that is no key."""
    if not keys:
        return dataclasses.replace(pydantic_data_converter, failure_converter_class=PlainFailures)
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=Encryption(keys),
        failure_converter_class=SealedFailures,
    )
