"""The beginning of a text, short enough for the sentence of an error."""

from __future__ import annotations


def shorten(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
