"""The states of a delivery, and the one table of transitions between them.

A delivery is *unknown* when nobody knows whether the message left. Nothing else of a delivery is
called unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class DeliveryStatus(StrEnum):
    PLANNED = "planned"  # certainly not sent, or to be sent again
    SENDING = "sending"  # claimed: the provider is being called
    ACCEPTED = "accepted"  # the provider has it
    REJECTED = "rejected"  # the provider will not send it
    UNKNOWN = "unknown"  # nobody knows whether it left; the provider is asked
    NEEDS_REVIEW = "needs_review"  # in doubt: no provider can say, so its owner is asked
    ABANDONED = "abandoned"  # its owner gave it up, whether it left or not


_S = DeliveryStatus

#: What may follow each state. A callback or a look-up can prove late that a message was accepted.
TRANSITIONS: Mapping[DeliveryStatus, frozenset[DeliveryStatus]] = MappingProxyType(
    {
        _S.PLANNED: frozenset({_S.SENDING, _S.ACCEPTED}),
        # To itself: another attempt takes over an orphaned claim, under the same idempotency key.
        _S.SENDING: frozenset({_S.SENDING, _S.ACCEPTED, _S.REJECTED, _S.PLANNED, _S.UNKNOWN}),
        # To sending: a retry under the same idempotency key.
        _S.UNKNOWN: frozenset({_S.ACCEPTED, _S.NEEDS_REVIEW, _S.SENDING}),
        _S.NEEDS_REVIEW: frozenset({_S.ACCEPTED, _S.PLANNED, _S.ABANDONED}),
        _S.ABANDONED: frozenset({_S.ACCEPTED}),
        _S.ACCEPTED: frozenset(),
        _S.REJECTED: frozenset(),
    }
)
#: A delivery has a claim only while its provider is called.
CLAIMED = frozenset({_S.SENDING})
#: The deadline is the end of the claim, or the time of the next look-up.
WITH_DEADLINE = frozenset({_S.SENDING, _S.UNKNOWN})
#: The outcome is on record, with its time.
SETTLED = frozenset({_S.ACCEPTED, _S.REJECTED, _S.ABANDONED})
#: The message may still leave, or its outcome is not known yet.
OPEN = frozenset(DeliveryStatus) - SETTLED


class WrongTransition(Exception):
    """The table has no such transition: a bug of this program."""


def moved(was: DeliveryStatus, to: DeliveryStatus) -> DeliveryStatus:
    """The state ``to``. Raises WrongTransition if the table has no such transition."""
    if to not in TRANSITIONS[was]:
        raise WrongTransition(f"a delivery that is {was} cannot become {to}")
    return to
