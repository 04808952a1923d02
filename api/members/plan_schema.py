"""The form of a plan, for OpenAPI; what it means and what is refused stands in dunning/plan.py."""

from __future__ import annotations

from typing import Any

_DAYS = {"type": "integer", "minimum": 0, "maximum": 3650}
_SELECTORS = {
    "type": "array",
    "items": {"type": "string"},
    "description": "`main`, `others`, `position:NAME`, `member:EMAIL` or an address (rule 34).",
}
_TRIGGER = {
    "type": "object",
    "description": "Days from the due or the issue date (negative = before), or a fixed date.",
    "properties": {
        "from": {"enum": ["due", "issue"]},
        "days": {"type": "integer", "minimum": -3650, "maximum": 3650},
        "date": {"type": "string", "format": "date"},
    },
    "examples": [{"from": "due", "days": 8}],
}
_TEXTS: dict[str, Any] = {
    "subject": {"type": "string", "maxLength": 1000},
    "body": {"type": "string", "maxLength": 50_000},
    "html": {
        "type": "string",
        "maxLength": 50_000,
        "description": "The HTML part of an email; without it, it is made from `body`.",
    },
}
_TRANSLATIONS = {
    "type": "object",
    "maxProperties": 50,
    "description": "The texts in other languages, by tag; without a subject, the step's.",
    "additionalProperties": {
        "type": "object",
        "required": ["body"],
        "additionalProperties": False,
        "properties": _TEXTS,
    },
    "examples": [{"fr": {"subject": "Facture {{ invoice.number }}", "body": "Bonjour …"}}],
}
_STEP: dict[str, Any] = {
    "type": "object",
    "required": ["key", "type", "trigger"],
    "properties": {
        "key": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"},
        "name": {"type": "string", "maxLength": 200},
        "type": {"enum": ["email", "sms", "letter", "call", "task"]},
        "automatic": {"type": "boolean", "default": False},
        "trigger": _TRIGGER,
        "contact_delay_days": _DAYS,
        "repeat_every_days": {**_DAYS, "minimum": 1},
        "repeat_limit": _DAYS,
        "owner": {
            "type": "string",
            "default": "assigned",
            "description": "`assigned`, a member's address or name, `group:NAME` or "
            "`group:NAME:assigned` (rule 33).",
        },
        "recipients": {**_SELECTORS, "default": ["main"]},
        "cc": _SELECTORS,
        "bcc": _SELECTORS,
        "registered": {"type": "boolean", "default": False},
        "attach_invoices": {"type": "boolean", "default": False},
        **_TEXTS,
        "texts": _TRANSLATIONS,
    },
}
PLAN: dict[str, Any] = {
    "type": "object",
    "required": ["steps"],
    "properties": {
        "name": {"type": "string", "maxLength": 100},
        "first_action": {"enum": ["standard", "contextualized"], "default": "standard"},
        "contact_delay_days": _DAYS,
        "tasks_count": {"type": "boolean", "default": True},
        "steps": {"type": "array", "minItems": 1, "maxItems": 100, "items": _STEP},
    },
}
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
