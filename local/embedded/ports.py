"""Ports on loopback."""

from __future__ import annotations

import socket

from local.embedded.errors import PortTaken

LOOPBACK = "127.0.0.1"


def take_port(wanted: int, setting: str) -> int:
    """`wanted` if it is free; for 0 any free port. Raises `PortTaken`, which names the setting."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError as error:
            raise PortTaken(f"port {wanted} is taken: set {setting}") from error
        return int(probe.getsockname()[1])
