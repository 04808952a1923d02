"""What a provider sends us later: a callback, and the addresses where callbacks arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


class BadCallback(ValueError):
    """A body that the provider cannot have sent; the text says what is wrong. Permanent."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One call as it came in. ``url`` is the address that the provider called: the configured
    public address with the raw path and query. Names of ``headers`` are in lower case."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


#: The largest body of a callback, in bytes (SendGrid puts up to 768 kB of events into one).
MAX_BODY = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address for the provider's callbacks: ``/webhooks/<provider>`` and ``path``.

    ``purpose``: what the address is for, if an admin enters it at the provider; None = we send the
    address with each message. ``of_delivery``: the address ends with a delivery's id, which says
    whose account it is. Otherwise the address of an organisation's own account has the
    organisation's id before ``path``. ``max_body`` is in bytes.
    """

    path: str = ""
    purpose: Literal["events", "replies"] | None = None
    of_delivery: bool = False
    max_body: int = MAX_BODY
