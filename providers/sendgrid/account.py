"""One account at SendGrid: its credentials, checked when they are entered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from providers.fingerprint import fingerprint

HOST = "https://api.sendgrid.com"
EU_HOST = "https://api.eu.sendgrid.com"
_DOMAIN = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")


@dataclass(frozen=True, slots=True)
class SendGridAccount:
    """``host`` is HOST, EU_HOST or a test server.

    ``webhook_keys``: the base64 public keys of the signed event webhook and of the inbound parse's
    security policy, old and new during a rotation. ``inbound_domain``: replies go to
    ``reply+<delivery id>@domain``; empty = replies go to the member. Raises ValueError for an
    impossible key (the client would send 'Bearer None'), a bad host or a bad domain.
    """

    api_key: str = field(repr=False)
    host: str = HOST
    webhook_keys: tuple[str, ...] = ()
    inbound_domain: str = ""

    def __post_init__(self) -> None:
        key = self.api_key
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("the SendGrid API key is empty or has characters that no key has")
        if not self.host.startswith(("https://", "http://")):
            raise ValueError(f"the SendGrid host {self.host!r} is not a web address")
        if self.inbound_domain and not _DOMAIN.fullmatch(self.inbound_domain):
            raise ValueError(f"the inbound domain {self.inbound_domain!r} is not a domain")

    @property
    def mark(self) -> str:
        """Changes with the API key, because SendGrid gives us no other id of an account."""
        return fingerprint("sendgrid", self.host.rstrip("/"), self.api_key)

    @property
    def signing_keys(self) -> tuple[str, ...]:
        return self.webhook_keys
