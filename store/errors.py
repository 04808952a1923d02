"""Errors that say what is wrong, where, and how to correct it. Each has its HTTP status.

DunningError          400
├── NotFound          404   nothing that the caller may see
├── Conflict          409   somebody else was first, or the state does not allow it
└── Invalid           422   the content is not valid; ``errors`` names the places
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mistake:
    """One error at one place: a JSON pointer, or a line of a file."""

    where: str
    reason: str


class DunningError(Exception):
    """Bad input or a state that does not allow it; never a fault of the program."""

    status = 400
    title = "Bad request"
    slug = "bad-request"

    def __init__(self, detail: str, errors: list[Mistake] | None = None, **more: Any) -> None:
        """``more``: members of the problem document besides ``errors``, as JSON."""
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or []
        self.more = more


class NotFound(DunningError):
    status = 404
    title = "Not found"
    slug = "not-found"


class Conflict(DunningError):
    status = 409
    title = "Conflict"
    slug = "conflict"


class Invalid(DunningError):
    status = 422
    title = "Invalid content"
    slug = "invalid"

    @classmethod
    def at(cls, where: str, reason: str) -> Invalid:
        return cls(f"{where}: {reason}" if where else reason, [Mistake(where, reason)])
