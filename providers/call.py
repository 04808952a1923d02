"""One call of a provider: how far it came, how long it may take, and why it failed, in our words.

The clients' own time-outs bound only each wait for the network. A slow answer, sent byte by byte, a
name with many addresses or a hanging resolver could hold a call for minutes.
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

#: The limit of one call. With the time to store its outcome (``activities.calling``) it must stay
#: below the deadline of a claim (``backoffice.delivery.claim``).
LIMIT = timedelta(seconds=15)
#: The limit of a look-up, which may be several calls: below the time-out of its activity.
LOOK_UP_LIMIT = timedelta(seconds=40)

T = TypeVar("T")

_log = logging.getLogger(__name__)


class TookTooLong(TimeoutError):
    """The call was ended at its limit."""


class Connection(Protocol):
    """A connection of http.client or urllib3."""

    sock: Any


class Call:
    """How far one call came. Before its connection is open, nothing can have been sent.

    ``status`` and ``headers`` are set as soon as they arrive, because the clients lose them when
    the body is cut off.
    """

    def __init__(self) -> None:
        self.connected = False
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self._over = False
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def connect(self, connection: Connection, stand: Callable[[], None]) -> None:
        """``stand`` opens the connection and checks its certificate. Raises TookTooLong if the call
        has ended meanwhile, so that nothing is sent."""
        self._connection = connection
        stand()
        with self._lock:
            if self._over:
                raise TookTooLong
            self.connected = True

    def end(self) -> None:
        """Ends the call: nothing more is sent, and no thread waits for it."""
        with self._lock:
            self._over = True
        sock = getattr(self._connection, "sock", None)
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):  # not SSLSocket's own: another thread reads it
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


def within(limit: timedelta, call: Call, ask: Callable[[], T]) -> T:
    """Returns or raises what ``ask`` does. At the limit it ends the call and raises TookTooLong;
    then ``call.connected`` says whether the request may have left."""
    answers: list[T] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            answers.append(ask())
        except Exception as error:  # noqa: BLE001 - raised again in the calling thread
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


#: By class, the most specific first. The clients' own texts may name our account or internals.
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
    """Why there is no answer, in words for people; "it could not be read" for an error that is no
    network error."""
    chain = _chain(error)
    for kind, words in _WORDS:
        if any(isinstance(link, kind) for link in chain):
            return words
    _log.warning("a provider's answer broke its client: %s", " < ".join(map(_name, chain)))
    return "it could not be read"


def _chain(error: BaseException) -> list[BaseException]:
    """The error and its causes, wherever a client keeps them."""
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
