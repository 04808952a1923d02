"""Logging to stderr, as text or as one JSON object per line, without keys and personal data.

The text of an error often quotes a row, an address or a note. So an error is logged as its class,
its place in the code and ``words_of`` it; Temporal gets the same.
"""

from __future__ import annotations

import builtins
import copy
import json
import logging
import re
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

SECRETS = re.compile(
    r"""(?x)
    ( SG\. | (?:sk|rk|whsec|dun_live|dun_test|live|test|invitation)_ | AC(?=[0-9a-f]{32}) )
      [\w.-]{6,}
    | ( (?i:Bearer|Basic) \s+ ) [\w.~+/=-]{6,}
    | ( ://[^\s:/@]* : ) [^\s/@]+ (?=@)
    | ( /l/+ ) [^\s/?\#"'<>]{8,}           # a short link: opens without a login
    """
)
# Verbose, or they log secrets: python_http_client logs the header with the API key.
QUIET = ("python_http_client", "httpx", "httpcore", "urllib3", "twilio", "multipart", "asyncio")

# Classes of SQLSTATE whose message names only servers, rights, locks and our own tables. Those of
# other classes, such as 22 (data) and P0 (raised), quote values; DETAIL may in every class.
_TELLING = {"08", "23", "25", "28", "3D", "40", "42", "53", "55", "57"}

#: The id of the current request, "" outside of one. Its threads and tasks inherit it.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")

# The attributes of every record; any other was passed as `extra=`.
_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def mask(text: str) -> str:
    """Replace every key, token and password in `text` by `***`; its prefix stays."""
    return SECRETS.sub(lambda m: f"{m[m.lastindex or 0]}***", text)


def words_of(error: BaseException) -> str:
    """An error's class and a description without any value of its data.

    PostgreSQL: the SQLSTATE, the names of constraint, table and column, and the first line if that
    quotes no value. The operating system: its text. Any other: the first line of the docstring of
    its class.
    """
    error = getattr(error, "orig", None) or error  # SQLAlchemy's wrapping
    name = type(error).__name__
    state, diag = getattr(error, "sqlstate", None), getattr(error, "diag", None)
    if state and diag is not None:
        names = (diag.constraint_name, diag.table_name, diag.column_name)
        of = f" ({', '.join(n for n in names if n)})" if any(names) else ""
        said = f": {diag.message_primary}" if state[:2] in _TELLING and diag.message_primary else ""
        return f"{name} {state}{of}{said}"
    if diag is not None and name == "OperationalError":  # the server is not reached, or is gone
        return f"{name}: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    meaning = _meaning(type(error))
    return f"{name}: {meaning}" if meaning else name


def _meaning(kind: type[BaseException]) -> str:
    """The first line of the docstring of the nearest base class that is not a builtin."""
    for base in kind.__mro__:
        if base.__module__ == builtins.__name__:
            break
        if text := (base.__dict__.get("__doc__") or "").strip():
            return str(text).splitlines()[0][:200]
    return ""


def _loggable(value: Any) -> Any:
    return words_of(value) if isinstance(value, BaseException) else value


def _about_nobody(record: logging.LogRecord) -> logging.LogRecord:
    """A copy of the record with errors as ``words_of`` them, and URLs without query strings."""
    record, args = copy.copy(record), record.args
    record.exc_text = None  # rendered by another handler, with values
    if isinstance(args, dict):
        record.args = {name: _loggable(value) for name, value in args.items()}
    elif args:
        record.args = tuple(_loggable(value) for value in args)
        if record.name.startswith("uvicorn"):
            record.args = tuple(
                f"{a.partition('?')[0]}?…" if isinstance(a, str) and "?" in a else a
                for a in record.args
            )
    return record


class _Plain(logging.Formatter):
    """`2025-03-04T07:30:00.000Z INFO dunning.worker [request id]: text`. Masks tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        record = _about_nobody(record)
        number = REQUEST_ID.get()
        record.of_request = f" [{number}]" if number else ""
        return mask(super().format(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """The usual traceback, with each error as ``words_of`` it."""
        error: BaseException | None = ei[1]
        shown: list[str] = []
        seen: set[int] = set()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            lines = "".join(traceback.format_tb(error.__traceback__))
            head = "Traceback (most recent call last):\n" if lines else ""
            shown.insert(0, f"{head}{lines}{words_of(error)}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n\nfrom which followed:\n\n".join(shown)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        at = datetime.fromtimestamp(record.created, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Json(_Plain):
    """One object per line: at, level, logger, message, request_id, the `extra=`, the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        record = _about_nobody(record)
        entry: dict[str, Any] = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if number := REQUEST_ID.get():
            entry["request_id"] = number
        entry |= {
            k: _loggable(v) for k, v in vars(record).items() if k not in _OWN and k not in entry
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return mask(json.dumps(entry, default=str, ensure_ascii=False))


def set_up_logging(
    level: str = "INFO", *, json_lines: bool = False, stream: TextIO | None = None
) -> None:
    """Send all logging to `stream` (stderr), masked. Replaces an earlier set-up."""
    handler = logging.StreamHandler(stream or sys.stderr)
    plain = "%(asctime)s %(levelname)s %(name)s%(of_request)s: %(message)s"
    handler.setFormatter(_Json() if json_lines else _Plain(plain))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):  # with handlers of its own
        logger = logging.getLogger(name)
        if logger.handlers or logger.propagate:  # neither: uvicorn was told not to log requests
            logger.handlers[:], logger.propagate = [], True
            logger.setLevel(logging.NOTSET)
