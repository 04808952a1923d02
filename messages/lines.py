"""Text without control characters, on one line or on several."""

from __future__ import annotations

import re

#: Control characters, every kind of line break, and halves of a surrogate pair.
LINE_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
#: The same for a text of several lines, without tab, line feed and carriage return.
TEXT_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def one_line(text: str, limit: int) -> str:
    """The text as one header line: without control characters and line breaks, cut to ``limit``."""
    line = " ".join(LINE_CONTROL.sub(" ", text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
