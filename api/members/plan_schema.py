"""The form of a plan, for OpenAPI."""

from __future__ import annotations

from typing import Any

from plans.schema import plan_schema

PLAN = plan_schema()
PLAN["required"].remove("name")  # it may stand in the address alone
_EXAMPLE = """\
name = "Standard reminders"
first_action = "standard"
contact_delay_days = 5

[[steps]]
key = "reminder-1"
name = "1st reminder"
type = "email"
automatic = true
trigger = {from = "due", days = 8}
subject = "Invoice {{ invoice.number }} is overdue"
body = "Please pay {{ invoice.balance }}."
"""

PLAN_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": PLAN},
            "application/toml": {"schema": {"type": "string"}, "example": _EXAMPLE},
        },
    }
}
