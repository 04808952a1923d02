"""All settings in one frozen object."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from settings.accounts import Accounts
from settings.addresses import Addresses
from settings.keeping import Keeping
from settings.limits import Limits
from settings.sending import Sending
from settings.values import PREFIX
from settings.watching import Watching
from settings.work import Work


# pydantic lists the fields of the last base class first: docs/settings.md reads from right to left.
class Settings(Watching, Limits, Keeping, Sending, Accounts, Work, Addresses):
    """All settings, frozen. Make one with `load_settings()`; in tests, with keyword arguments."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # a mistyped key must not appear in a log
        validate_default=True,
    )

    @property
    def outbox(self) -> Path:
        """The directory of the outbox, chosen or default."""
        return self.outbox_dir or self.state_dir / "outbox"
