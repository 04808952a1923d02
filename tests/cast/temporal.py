"""A stand-in for Temporal's client that only takes signals, as the relay sends them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class TemporalStandIn:
    """Accepts every signal, unless ``refuse`` gives an error for the workflow id.

    ``tried``: workflow ids. ``taken``: workflow id, name and payload of each accepted signal.
    """

    def __init__(self, refuse: Callable[[str], Exception | None] = lambda _: None) -> None:
        self.refuse = refuse
        self.tried: list[str] = []
        self.taken: list[tuple[str, str, dict[str, Any]]] = []

    @property
    def told(self) -> list[str]:
        """The workflow ids of the accepted signals."""
        return [workflow_id for workflow_id, _, _ in self.taken]

    async def start_workflow(self, *_: Any, **more: Any) -> None:
        self.tried.append(more["id"])
        error = self.refuse(more["id"])
        if error is not None:
            raise error
        (payload,) = more["start_signal_args"]
        self.taken.append((more["id"], more["start_signal"], payload))
