"""Stand-ins for SendGrid, Twilio and Lob on 127.0.0.1 that fail on purpose.

They speak the providers' wire formats, check requests as strictly, keep a ledger of the messages
that they accepted, and send signed callbacks. ``Faults`` decides which answers fail.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import TracebackType

from stand_ins.providers.faults import Fault, Faults
from stand_ins.providers.ledger import Entry, Ledger
from stand_ins.providers.lob import Lob
from stand_ins.providers.reports import Counts, Habits, Sender
from stand_ins.providers.sendgrid import SendGrid
from stand_ins.providers.server import Server
from stand_ins.providers.twilio import Twilio

__all__ = ["Counts", "Entry", "Fault", "Faults", "Habits", "Keys", "Ledger", "StandIns"]


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials of our channels and keys that sign callbacks; none is real."""

    sendgrid: str = "SG.stand-in"
    twilio_account: str = "AC" + "0" * 32
    twilio_token: str = field(default_factory=lambda: secrets.token_hex(16))
    twilio_key: str = "SK" + "0" * 32
    twilio_key_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    lob: str = "test_stand_in"
    lob_secret: str = field(default_factory=lambda: secrets.token_hex(16))


class StandIns:
    """All three, started by ``with``. ``faults`` and ``refuses_account`` can be replaced at any
    time; the latter has the names of the providers that answer everything with 401.

    ``callbacks_to`` is the base address of our side on this machine, None = no callbacks.
    Twilio's are signed for the address that each message names and posted to its path there.
    ``seed`` decides the chances; each request draws once. ``clock`` answers UTC.
    """

    def __init__(
        self,
        *,
        faults: Faults | None = None,
        habits: Habits | None = None,
        callbacks_to: str | None = None,
        seed: int = 0,
        keys: Keys | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Raises ValueError for ``callbacks_to`` on another machine, OSError without ports."""
        self.faults = faults or Faults.none()
        self.refuses_account: set[str] = set()
        self.keys = keys or Keys()
        self.ledger = Ledger()
        self._sender = Sender(callbacks_to, habits or Habits(), seed)
        key, told = self.keys, (self.ledger, self._sender, clock)
        sendgrid = SendGrid(key.sendgrid, *told, lambda: self.faults.lag)
        users = {key.twilio_key: key.twilio_key_secret}
        twilio = Twilio(key.twilio_account, key.twilio_token, users, *told)
        lob = Lob(key.lob, key.lob_secret, *told)
        self.sendgrid_public_key = sendgrid.public_key
        self._servers = {
            provider.name: Server(
                provider, lambda: self.faults, partial(self._refuses, provider.name), seed
            )
            for provider in (sendgrid, twilio, lob)
        }
        self.sendgrid_url = self._servers["sendgrid"].url
        self.twilio_url = self._servers["twilio"].url
        self.lob_url = self._servers["lob"].url

    def __enter__(self) -> StandIns:
        self._sender.start()
        for server in self._servers.values():
            server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self._servers.values():
            server.close()
        self._sender.close()

    def aim(self, callbacks_to: str | None) -> None:
        """Changes ``callbacks_to``, also for callbacks that wait to be posted.

        Raises ValueError for another machine's address.
        """
        self._sender.aim(callbacks_to)

    def _refuses(self, provider: str) -> bool:
        return provider in self.refuses_account

    def refusals(self, provider: str) -> int:
        """How often the provider refused the account."""
        return self._servers[provider].refusals()

    def played(self) -> dict[str, Counter[Fault]]:
        """How often each fault was played by each provider, look-ups among them."""
        return {name: server.played() for name, server in self._servers.items()}

    def counts(self) -> Counts:
        """The callbacks so far."""
        return self._sender.counts()

    def wait_until_quiet(self, timeout: float) -> bool:
        """Whether every callback was accepted or given up within ``timeout`` seconds."""
        return self._sender.wait_until_quiet(timeout)
