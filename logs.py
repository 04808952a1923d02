"""Logging: to stderr, readable or one JSON object per line, with no key in it and about nobody.

The words of an error often quote what it stumbled over: a row, an address, a note. So an error is
logged as its class, its place in the code and ``words_of`` it; Temporal is told no more.
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
    | ( /l/+ ) [^\s/?\#"'<>]{8,}           # whoever has a customer's short link can open it
    """
)
# Chatty, or known to log what it should not: python_http_client logs headers with the key in them.
QUIET = ("python_http_client", "httpx", "httpcore", "urllib3", "twilio", "multipart", "asyncio")

# Classes of SQLSTATE whose first line is about servers, rights, locks and names of our own. In
# others, as 22 (data) and P0 (raised), it quotes the value; the DETAIL of every class may.
_TELLING = {"08", "23", "25", "28", "3D", "40", "42", "53", "55", "57"}

#: The request that is being answered, "" outside of one. Threads and tasks of it have it as well.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")

# What a record has of itself; everything else came by `extra=`.
_OWN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def mask(text: str) -> str:
    """Replace every key, token and password in `text` by `***`, keeping what tells its kind."""
    return SECRETS.sub(lambda m: f"{m[m.lastindex or 0]}***", text)


def words_of(error: BaseException) -> str:
    """An error's class and what may be said of it to anybody: never a value that it was about.

    Of PostgreSQL the SQLSTATE, the names of constraint, table and column, and its first line where
    that quotes nothing; of the operating system its own text; of any other class what the class
    means, which is the first line of its docstring.
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
    """The first line of the docstring of the nearest class that Python does not bring itself."""
    for base in kind.__mro__:
        if base.__module__ == builtins.__name__:
            break
        if text := (base.__dict__.get("__doc__") or "").strip():
            return str(text).splitlines()[0][:200]
    return ""


def _told(value: Any) -> Any:
    return words_of(value) if isinstance(value, BaseException) else value


def _about_nobody(record: logging.LogRecord) -> logging.LogRecord:
    """The record with errors as ``words_of`` them, and requests without what they searched for."""
    record, args = copy.copy(record), record.args
    record.exc_text = None  # somebody else's, with values
    if isinstance(args, dict):
        record.args = {name: _told(value) for name, value in args.items()}
    elif args:
        record.args = tuple(_told(value) for value in args)
        if record.name.startswith("uvicorn"):  # WebSockets are logged by another than requests
            record.args = tuple(
                f"{a.partition('?')[0]}?…" if isinstance(a, str) and "?" in a else a
                for a in record.args
            )
    return record


class _Plain(logging.Formatter):
    """`2025-03-04T07:30:00.000Z INFO dunning.worker: text`, with `[id]` of the request after the
    logger; masks tracebacks as well."""

    def format(self, record: logging.LogRecord) -> str:
        record = _about_nobody(record)
        number = REQUEST_ID.get()
        record.of_request = f" [{number}]" if number else ""
        return mask(super().format(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """The usual traceback, each error in it by ``words_of``."""
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
    """One object per line: at, level, logger, message, the request's id, what `extra=` gave, and
    the traceback."""

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
        entry |= {k: _told(v) for k, v in vars(record).items() if k not in _OWN and k not in entry}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return mask(json.dumps(entry, default=str, ensure_ascii=False))


def set_up_logging(
    level: str = "INFO", *, json_lines: bool = False, stream: TextIO | None = None
) -> None:
    """Send all logging to `stream` (stderr), masked. Replaces what was set up before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    plain = "%(asctime)s %(levelname)s %(name)s%(of_request)s: %(message)s"
    handler.setFormatter(_Json() if json_lines else _Plain(plain))
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
