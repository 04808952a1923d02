"""One call of a provider: how far it came, how long it may take, and why it failed, in our words.

The time-outs of the clients bound each wait for the network alone: an answer that comes byte by
byte, a name with many addresses, a resolver that hangs would hold a call for minutes.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol, TypeVar

import urllib3.exceptions

#: Of one call, everything together: with the time to keep its outcome (``activities.sending``)
#: inside the deadline of a claim (``backoffice.delivery.deliveries``).
LIMIT = timedelta(seconds=15)
#: Of a look-up, which may be several calls: inside the time-out of its activity.
LOOK_UP_LIMIT = timedelta(seconds=40)

T = TypeVar("T")

_log = logging.getLogger(__name__)


class TookTooLong(TimeoutError):
    """The call was ended at its limit."""


class Connection(Protocol):
    """A connection of http.client or urllib3."""

    sock: Any


class Call:
    """How far one call came: before its connection stands, nothing can have been sent.

    ``status`` and ``headers`` are the answer's, as soon as they are there: the clients lose them
    when the body is cut off.
    """

    def __init__(self) -> None:
        self.connected = False
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self._over = False
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def connect(self, connection: Connection, stand: Callable[[], None]) -> None:
        """``stand`` makes the connection, with its certificate. A call that is over sends nothing:
        raises TookTooLong."""
        self._connection = connection
        stand()
        with self._lock:
            if self._over:
                raise TookTooLong
            self.connected = True

    def end(self) -> None:
        """From now on nothing is sent that is not on its way, and nothing is waited for."""
        with self._lock:
            self._over = True
        sock = getattr(self._connection, "sock", None)
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):  # not SSLSocket's, which another thread is reading
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def within(limit: timedelta, call: Call, ask: Callable[[], T]) -> T:
    """What ``ask`` answers or raises. At the limit the call is ended and TookTooLong is raised,
    however slowly its bytes come; ``call.connected`` then tells whether it can have left."""
    answers: list[T] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            answers.append(ask())
        except Exception as error:  # noqa: BLE001 - raised again in the thread that asked
            errors.append(error)

    thread = threading.Thread(target=work, name="call of a provider", daemon=True)
    thread.start()
    thread.join(limit.total_seconds())
    if thread.is_alive():
        call.end()
        raise TookTooLong
    if errors:
        raise errors[0]
    return answers[0]


#: By class, the most particular first: a client's own text names our account or its own insides.
_WORDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (TookTooLong, "it took too long"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "no secure connection could be made"),
    (urllib3.exceptions.ProxyError, "the proxy did not connect us"),
    ((socket.gaierror, urllib3.exceptions.NameResolutionError), "its name was not found"),
    (ConnectionRefusedError, "the connection was refused"),
    ((TimeoutError, urllib3.exceptions.TimeoutError), "nothing came in time"),
    (
        (ConnectionError, http.client.IncompleteRead, urllib3.exceptions.IncompleteRead),
        "the connection broke",
    ),
    ((http.client.HTTPException, urllib3.exceptions.HTTPError), "what came was no HTTP"),
    (UnicodeError, "its address cannot be used"),
    (OSError, "the network failed"),
)


def why(error: BaseException) -> str:
    """Why there is no answer, in words of ours; "it could not be read" for what is none of the
    network's."""
    chain = _chain(error)
    for kind, words in _WORDS:
        if any(isinstance(link, kind) for link in chain):
            return words
    _log.warning("a provider's answer broke its client: %s", " < ".join(map(_name, chain)))
    return "it could not be read"


def _chain(error: BaseException) -> list[BaseException]:
    """The error with all that it came from, wherever a client keeps that."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:
        link = waiting.pop(0)
        if isinstance(link, BaseException) and link not in found:
            found.append(link)
            waiting += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
    return found


def _name(error: BaseException) -> str:
    return type(error).__name__
