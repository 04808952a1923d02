"""One account at Twilio: its credentials, checked when they are entered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from providers.fingerprint import fingerprint

HOST = "https://api.twilio.com"
_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 +&_-]{1,11}")


@dataclass(frozen=True)
class TwilioAccount:
    """Raises ValueError for an account that cannot exist. Its repr shows no secret.

    It signs in with an API key if there is one, else with the auth token. ``sender`` is a number in
    E.164, a short code, a name of up to 11 characters, or the MG… id of a messaging service.
    ``webhook_tokens`` verify callbacks, two during a rotation; without them the auth token does.
    ``host`` is another address of the API.
    """

    account_sid: str
    auth_token: str = field(default="", repr=False)
    api_key_sid: str = ""
    api_key_secret: str = field(default="", repr=False)
    sender: str = ""
    webhook_tokens: tuple[str, ...] = field(default=(), repr=False)
    host: str = ""

    def __post_init__(self) -> None:
        self._check_keys()
        if not self.by_service and not _SENDER.fullmatch(self.sender):
            raise ValueError(
                "Twilio needs a sender: a number as +33…, a short code, a name of up to"
                " 11 letters and digits, or the MG… id of a messaging service"
            )
        if self.host and not is_web_address(self.host):
            raise ValueError(f"the Twilio host {self.host!r} is not a web address")
        if not self.webhook_tokens and self.auth_token:
            object.__setattr__(self, "webhook_tokens", (self.auth_token,))

    def _check_keys(self) -> None:
        if not re.fullmatch(r"AC[0-9A-Za-z]{1,62}", self.account_sid):
            raise ValueError("the Twilio account SID begins with AC, then letters and digits")
        if bool(self.api_key_sid) != bool(self.api_key_secret):
            raise ValueError("a Twilio API key is two values: its SID and its secret")
        if not self.auth_token and not self.api_key_sid:
            raise ValueError("Twilio needs the auth token, or an API key with its secret")
        for secret in (self.auth_token, self.api_key_sid, self.api_key_secret):
            if secret and not re.fullmatch(r"[!-~]+", secret):
                raise ValueError("a Twilio token or key has characters that none has")

    @property
    def by_service(self) -> bool:
        """Whether the sender is a messaging service."""
        return _SERVICE.fullmatch(self.sender) is not None

    @property
    def mark(self) -> str:
        """Stays the same when the auth token or the API key is replaced."""
        return fingerprint("twilio", self.host or HOST, self.account_sid)

    @property
    def signing_keys(self) -> tuple[str, ...]:
        return self.webhook_tokens


def is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
