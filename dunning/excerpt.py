"""The beginning of a text, short enough for an error message."""

from __future__ import annotations


def shorten(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
