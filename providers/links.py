"""A short link in a message that was followed: noted by the API as if a provider had reported it,
and read by whoever takes in callbacks."""

from __future__ import annotations

import json
from datetime import datetime

from dunning.delivery import DeliveryFact
from dunning.learnt import Reply, Report
from providers.callback import BadCallback, Callback

#: Stands where the others have the provider.
LINK = "link"


def followed(delivery_id: str, at: datetime) -> bytes:
    """The body that is kept: whose message it was in, and when (UTC)."""
    return json.dumps({"delivery_id": delivery_id, "at": at.isoformat()}).encode()


def read(callback: Callback, now: datetime) -> list[Report | Reply]:
    """The one event. Raises BadCallback."""
    try:
        data = json.loads(callback.body)
        at = min(datetime.fromisoformat(data["at"]), now)
        return [Report(fact=DeliveryFact.CLICKED, at=at, delivery_id=str(data["delivery_id"]))]
    except (ValueError, KeyError, TypeError) as error:
        raise BadCallback(f"this is no note of a link that was followed: {error}") from None
