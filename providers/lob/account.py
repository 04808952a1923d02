"""One account at Lob: its credentials, checked when they are entered."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from messages.message import Postal
from messages.postal import why_not
from providers.fingerprint import fingerprint

HOST = "https://api.lob.com/v1"
MAX_NAME = 40  # characters of a name on an envelope (Lob's OpenAPI document)


@dataclass(frozen=True, slots=True)
class LobAccount:
    """Raises ValueError for an account that cannot send. ``host``: HOST, or a test server."""

    api_key: str = field(repr=False)
    sender: Postal
    sender_name: str
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    host: str = HOST
    color: bool = False
    mail_type: str = "usps_first_class"

    def __post_init__(self) -> None:
        key = self.api_key
        if not key or not key.isascii() or not key.isprintable() or " " in key or ":" in key:
            raise ValueError("the Lob API key is empty or has characters that no key has")
        self._check_sender()
        if "" in self.webhook_secrets:
            raise ValueError("a secret of Lob's webhooks is empty")
        if not self.host.startswith(("https://", "http://")):
            raise ValueError(f"the Lob host {self.host!r} is not a web address")
        if self.mail_type not in ("usps_first_class", "usps_standard"):
            raise ValueError(f"{self.mail_type!r} is no mail type of Lob")

    def _check_sender(self) -> None:
        if self.sender.country.upper() != "US":
            raise ValueError("Lob posts letters from US addresses only: the sender is elsewhere")
        if reason := why_not(asdict(self.sender)):
            raise ValueError(f"the sender's address cannot be used: {reason}")
        if not 0 < len(self.sender_name.strip()) <= MAX_NAME:
            raise ValueError(f"the sender's name must have 1 to {MAX_NAME} characters")

    @property
    def mark(self) -> str:
        """Changes with the API key, because Lob gives us no other id of an account."""
        return fingerprint("lob", self.host.rstrip("/"), self.api_key)

    @property
    def signing_keys(self) -> tuple[str, ...]:
        return self.webhook_secrets
