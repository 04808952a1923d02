"""Payloads for Temporal: dataclasses as JSON, failures without data; encrypted with our keys.

Encrypted: inputs and results of workflows, activities, signals and queries; summaries, details, and
the text of failures. Not encrypted, because Temporal must read it: ids of workflows and activities;
names of types, signals and queues; search attributes with their values; fairness keys; times.
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
    """None of DUNNING_TEMPORAL_KEYS decrypts a payload: add the key that it was encrypted with."""


class Encryption(PayloadCodec):
    """Fernet (AES-128-CBC with HMAC). The first key encrypts, each of them decrypts; payloads that
    are not encrypted are read as they are. Raises ValueError for a malformed key."""

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
    """The converter of each of our clients. Without keys nothing is encrypted, and encrypted
    payloads cannot be read. Raises ValueError for a malformed key."""
    if not keys:
        return dataclasses.replace(pydantic_data_converter, failure_converter_class=PlainFailures)
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=Encryption(keys),
        failure_converter_class=SealedFailures,
    )
