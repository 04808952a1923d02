"""The channels when no provider is configured: a table of ours, and a folder.

The table is the record; the files are for a person with a mail program. Both have the delivery id
as key, so sending the same message again changes nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from dunning.plan import ActionType
from messages.message import Message
from providers.outbox.account import OUTBOX_ACCOUNT
from providers.outbox.files import as_eml, as_txt
from providers.port import (
    Accepted,
    CannotTell,
    Found,
    LookUp,
    NotFound,
    NotSent,
    Result,
    not_its_type,
)

_log = logging.getLogger(__name__)


class Outbox:
    """Accepts every message of its type. ``store`` writes the message, idempotent by its
    ``delivery_id``; ``has`` says whether it is stored. Without a ``folder`` (None, in rehearsals)
    it writes no files. The file of an email is ``<organisation_id>/<delivery_id>.eml`` in
    ``folder``, the file of an SMS or a letter ends with ``.txt``."""

    name = "outbox"
    account = OUTBOX_ACCOUNT
    signers = ()
    idempotent = True

    def __init__(
        self,
        type: ActionType,  # noqa: A002
        store: Callable[[Message], None],
        folder: Path | None = None,
        has: Callable[[str], bool] | None = None,
    ) -> None:
        self.type = type
        self._store = store
        self._has = has
        self._folder = folder

    def send(self, message: Message) -> Result:
        wrong = not_its_type(self, message)
        if wrong is not None:
            return wrong
        try:
            if self._folder is None:
                self._store(message)
            else:
                self._store_and_write(message, self._folder)
        except Exception as error:  # noqa: BLE001 - nothing has left: the caller tries again
            _log.warning("outbox: %s was not stored: %s", message.delivery_id, error)
            return NotSent("the outbox could not store it; the log says why")
        return Accepted(f"outbox-{message.delivery_id}")

    def look_up(self, message: Message, since: datetime) -> LookUp:
        if self._has is None:
            return CannotTell("this outbox cannot be asked")
        try:
            known = self._has(message.delivery_id)
        except Exception as error:  # noqa: BLE001 - the caller asks again
            _log.warning("outbox: %s was not looked up: %s", message.delivery_id, error)
            return CannotTell("the outbox did not answer; the log says why")
        return Found(f"outbox-{message.delivery_id}") if known else NotFound()

    def _store_and_write(self, message: Message, folder: Path) -> None:
        """Writes a draft file, then the table, then renames the file. So an error before the table
        leaves nothing behind, and no file is half written."""
        is_mail = message.channel is ActionType.EMAIL
        content = as_eml(message) if is_mail else as_txt(message).encode()
        place = folder / message.organisation_id
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        draft = place / f".{message.delivery_id}.{os.getpid()}.{id(message)}"
        try:
            with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as f:
                f.write(content)
            self._store(message)
            draft.replace(place / f"{message.delivery_id}.{'eml' if is_mail else 'txt'}")
        finally:
            draft.unlink(missing_ok=True)
