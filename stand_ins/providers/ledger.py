"""The messages that the stand-ins have accepted; tests compare our own records with them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One message accepted for sending.

    ``delivery_id`` is ours, empty where the request does not say it. ``at`` is UTC. ``body`` is
    the request as it was read. ``lost``: the recipients that will be reported as not reached.
    """

    provider: str
    delivery_id: str
    provider_id: str
    at: datetime
    recipients: tuple[str, ...]
    body: dict[str, Any]
    lost: tuple[str, ...] = ()


class Ledger:
    """Append-only and thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._by_delivery: dict[str, list[Entry]] = {}
        self._by_recipient: dict[str, list[Entry]] = {}

    def add(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)
            self._by_delivery.setdefault(entry.delivery_id, []).append(entry)
            for recipient in entry.recipients:
                self._by_recipient.setdefault(recipient, []).append(entry)

    def accepted(self, delivery_id: str) -> int:
        """How often this delivery was accepted as a new message; above 1 it is a duplicate."""
        return len(self.of(delivery_id))

    def counts(self) -> dict[str, int]:
        """``accepted`` of every delivery."""
        with self._lock:
            return {delivery: len(entries) for delivery, entries in self._by_delivery.items()}

    def of(self, delivery_id: str) -> list[Entry]:
        with self._lock:
            return list(self._by_delivery.get(delivery_id, ()))

    def entries(self, provider: str = "", recipient: str = "") -> list[Entry]:
        """All, or those of one provider or with one recipient, oldest first."""
        with self._lock:
            known = self._by_recipient.get(recipient, []) if recipient else self._entries
            return [entry for entry in known if not provider or entry.provider == provider]
