"""Faults of a stand-in, and how often each occurs."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """The effect on one request. "After" means that the provider has accepted the message."""

    OK = "ok"
    DROP_BEFORE = "drop_before"  # closes or resets, without an answer
    DROP_AFTER = "drop_after"
    HANG_BEFORE = "hang_before"  # sends nothing for longer than the client waits, then closes
    HANG_AFTER = "hang_after"
    LIMITED = "limited"  # 429 with the provider's own headers; nothing is accepted
    ERROR_BEFORE = "error_before"  # 500 or 503
    ERROR_AFTER = "error_after"  # 500 although the message is accepted
    CUT_AFTER = (
        "cut_after"  # a success with a truncated body, or a truncated head where there is no body
    )
    GARBAGE_BEFORE = "garbage_before"  # bytes that are not HTTP
    GARBAGE_AFTER = "garbage_after"


#: The provider never sees the request.
BEFORE = frozenset(
    {
        Fault.DROP_BEFORE,
        Fault.HANG_BEFORE,
        Fault.LIMITED,
        Fault.ERROR_BEFORE,
        Fault.GARBAGE_BEFORE,
    }
)
_LOOK_UP = (Fault.ERROR_BEFORE, Fault.HANG_BEFORE, Fault.LIMITED)


@dataclass(frozen=True, slots=True)
class Faults:
    """``send`` and ``look_up``: the weight of each fault, as ``random.choices`` takes them.

    ``hang``: seconds of silence, choose it longer than the client's time-out. ``wait``: seconds
    that a 429 asks for. ``lag``: seconds before SendGrid's logs show an accepted message.
    """

    send: Mapping[Fault, float] = field(default_factory=lambda: {Fault.OK: 1})
    look_up: Mapping[Fault, float] = field(default_factory=lambda: {Fault.OK: 1})
    hang: float = 15.0
    wait: float = 1.0
    lag: float = 0.0

    @classmethod
    def none(cls, *, lag: float = 0.0) -> Faults:
        return cls(lag=lag)

    @classmethod
    def only(cls, fault: Fault, *, hang: float = 15.0, wait: float = 1.0) -> Faults:
        """Every send has this fault; look-ups work."""
        return cls(send={fault: 1}, hang=hang, wait=wait)

    @classmethod
    def all(
        cls,
        *,
        share: float = 0.5,
        look_up_share: float = 0.2,
        hang: float = 15.0,
        wait: float = 1.0,
        lag: float = 2.0,
    ) -> Faults:
        """All faults: ``share`` of the sends and ``look_up_share`` of the look-ups fail."""
        bad = [fault for fault in Fault if fault is not Fault.OK]
        return cls(
            send={Fault.OK: 1 - share} | dict.fromkeys(bad, share / len(bad)),
            look_up={Fault.OK: 1 - look_up_share}
            | dict.fromkeys(_LOOK_UP, look_up_share / len(_LOOK_UP)),
            hang=hang,
            wait=wait,
            lag=lag,
        )

    def pick(self, chance: random.Random, *, look_up: bool) -> Fault:
        weights = self.look_up if look_up else self.send
        return chance.choices(list(weights), list(weights.values()))[0]
