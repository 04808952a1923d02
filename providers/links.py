"""A short link that was followed: the API stores it, and the worker reads it, like a callback."""

from __future__ import annotations

import json
from datetime import datetime

from dunning.delivery import DeliveryFact
from dunning.learnt import Reply, Report
from providers.callback import BadCallback, Callback

#: The provider's name under which it is stored.
LINK = "link"


def followed(delivery_id: str, at: datetime) -> bytes:
    """The stored body: the delivery of the link, and when it was followed (UTC)."""
    return json.dumps({"delivery_id": delivery_id, "at": at.isoformat()}).encode()


def read(callback: Callback, now: datetime) -> list[Report | Reply]:
    """The one report, not later than ``now`` (UTC). Raises BadCallback."""
    try:
        data = json.loads(callback.body)
        at = min(datetime.fromisoformat(data["at"]), now)
        return [Report(fact=DeliveryFact.CLICKED, at=at, delivery_id=str(data["delivery_id"]))]
    except (ValueError, KeyError, TypeError) as error:
        raise BadCallback(f"this is no note of a link that was followed: {error}") from None
