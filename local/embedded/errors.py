"""What keeps the embedded services from running; each text says what to change."""

from __future__ import annotations


class StandaloneError(RuntimeError):
    """The embedded services cannot run; the text says what to change."""


class PortTaken(StandaloneError):
    """Somebody else listens on a port that was asked for."""


class StateDirBusy(StandaloneError):
    """Another process uses this state directory."""


class NotStarted(StandaloneError):
    """A server exited or did not answer in time."""
