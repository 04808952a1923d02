"""The current details of a run, as the Temporal UI shows them."""

from __future__ import annotations

from datetime import datetime

from workflows.contracts import LOOK_UP, REVIEW


def at_work(activity: str, since: datetime, label: str) -> str:
    """The sentence while an activity runs; ``since`` is in UTC, ``label`` is what is being sent."""
    doing = {REVIEW: "Looking at the account", LOOK_UP: "Asking the provider"}
    parts = [f"{doing.get(activity, 'Sending')} since {since:%a %-d %b %Y %H:%M:%S} UTC"]
    if activity != REVIEW and label:
        parts.append(label)
    return " · ".join([*parts, "if this lasts, the error is under Pending Activities"])
