"""The only code that writes the status of a delivery."""

from __future__ import annotations

import uuid
from datetime import datetime

from dunning.delivery_status import (
    CLAIMED,
    SETTLED,
    WITH_DEADLINE,
    DeliveryStatus,
    WrongTransition,
    moved,
)
from store import tables as t


def move(
    row: t.Delivery,
    to: DeliveryStatus,
    now: datetime,
    *,
    claim: uuid.UUID | None = None,
    deadline: datetime | None = None,
) -> None:
    """Moves a delivery to another state, with the values that the state requires: a ``claim`` while
    sending, a ``deadline`` while sending (real time) or unknown (organisation's time), and the
    organisation's time ``now`` when settled. CHECK constraints of the table say the same.

    Raises WrongTransition, and changes nothing, if the table has no such transition, or if claim or
    deadline do not fit the state.
    """
    status = moved(DeliveryStatus(row.status), to)
    if (claim is not None) != (to in CLAIMED) or (deadline is not None) != (to in WITH_DEADLINE):
        raise WrongTransition(f"{to} with claim {claim} and deadline {deadline}")
    row.status, row.claim, row.deadline = status, claim, deadline
    row.settled_at = now if to in SETTLED else None


def is_sending(row: t.Delivery) -> bool:
    return row.status == DeliveryStatus.SENDING


def is_unknown(row: t.Delivery) -> bool:
    return row.status == DeliveryStatus.UNKNOWN
