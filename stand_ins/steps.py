"""Steps and plans of Amber & Sons."""

from __future__ import annotations

from typing import Any


def email(key: str, days: int, **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "name": f"Reminder {key}",
        "type": "email",
        "automatic": True,
        "trigger": {"from": "due", "days": days},
        "subject": "{{ invoice.number }}: {{ invoice.balance }} open",
        "body": "Please pay {{ invoice.balance }}.",
        **more,
    }


def call(key: str, days: int, **more: Any) -> dict[str, Any]:
    return email(key, days, type="call", automatic=False, name=f"Call {key}", **more)


def plan(*steps: dict[str, Any], delay: int = 5, **more: Any) -> dict[str, Any]:
    return {"name": "Standard", "contact_delay_days": delay, "steps": list(steps), **more}


PLAN = plan(email("one", 1), email("two", 8), email("three", 15))
