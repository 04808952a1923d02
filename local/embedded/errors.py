"""Errors of the embedded services; each text says what to change."""

from __future__ import annotations


class StandaloneError(RuntimeError):
    """The embedded services cannot run."""


class PortTaken(StandaloneError):
    """Another process listens on a port that was asked for."""


class StateDirBusy(StandaloneError):
    """Another process uses this state directory."""


class NotStarted(StandaloneError):
    """A server exited or did not answer in time."""
