"""Logging: to stderr, readable or one JSON object per line, never with a key in it."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

SECRETS = re.compile(
    r"""(?x)
    ( SG\. | (?:sk|rk|whsec|dun_live|dun_test|live|test)_ | AC(?=[0-9a-f]{32}) ) [\w.-]{6,}
    | ( (?i:Bearer|Basic) \s+ ) [\w.~+/=-]{6,}
    | ( ://[^\s:/@]* : ) [^\s/@]+ (?=@)
    """
)
# Chatty, or known to log what it should not: python_http_client logs headers with the key in them.
QUIET = ("python_http_client", "httpx", "httpcore", "urllib3", "twilio", "multipart", "asyncio")

# What a record has of itself; everything else came by `extra=`.
_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def mask(text: str) -> str:
    """Replace every key, token and password in `text` by `***`, keeping what tells its kind."""
    return SECRETS.sub(lambda m: f"{m[1] or m[2] or m[3]}***", text)


class _Plain(logging.Formatter):
    """`2025-03-04T07:30:00.000Z INFO dunning.worker: text`; masks tracebacks as well."""

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        at = datetime.fromtimestamp(record.created, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Json(_Plain):
    """One object per line: at, level, logger, message, what `extra=` gave, and the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {k: v for k, v in vars(record).items() if k not in _OWN and k not in entry}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return mask(json.dumps(entry, default=str, ensure_ascii=False))


def set_up_logging(
    level: str = "INFO", *, json_lines: bool = False, stream: TextIO | None = None
) -> None:
    """Send all logging to `stream` (stderr), masked. Replaces what was set up before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        _Json() if json_lines else _Plain("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):  # which bring handlers of their own
        logger = logging.getLogger(name)
        if logger.handlers or logger.propagate:  # else uvicorn was told not to log requests
            logger.handlers[:], logger.propagate = [], True
            logger.setLevel(logging.NOTSET)
