"""One call of a provider: its time limit, and the reason of a failure in our words."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import ssl
import threading
import time
from datetime import timedelta

import pytest
import requests
import urllib3

from activities import calling
from dunning.delivery import CLAIM_SECONDS
from providers.call import LIMIT, LOOK_UP_LIMIT, Call, TookTooLong, why, within
from workflows.contracts import LOOK_UP_TIMEOUT, SEND_TIMEOUT

SOON = timedelta(milliseconds=50)


class Wire:
    sock: socket.socket | None = None


def test_the_limit_of_a_call_is_below_those_of_the_claim_and_the_activity() -> None:
    kept = timedelta(seconds=calling._KEEP_SECONDS)
    assert LIMIT + kept <= timedelta(seconds=CLAIM_SECONDS) < SEND_TIMEOUT
    # After a look-up without a result the same activity may retry the letter.
    assert LOOK_UP_LIMIT + LIMIT < LOOK_UP_TIMEOUT


def test_within_returns_the_result_or_raises_the_error_of_the_call() -> None:
    def fails() -> None:
        raise KeyError("x")

    assert within(SOON, Call(), lambda: 7) == 7
    with pytest.raises(KeyError):
        within(SOON, Call(), fails)


def test_a_connection_made_after_the_limit_sends_nothing() -> None:
    """As when DNS hangs: the call already ended as not sent, so nothing may be sent after it."""
    call, resolved, sent, ended = Call(), threading.Event(), threading.Event(), threading.Event()

    def stand() -> None:
        resolved.wait()

    def ask() -> None:
        try:
            call.connect(Wire(), stand)
            sent.set()
        finally:
            ended.set()

    with pytest.raises(TookTooLong):
        within(SOON, call, ask)
    assert not call.connected
    resolved.set()
    assert ended.wait(5)
    assert not call.connected
    assert not sent.is_set()


def test_the_thread_of_a_call_past_its_limit_ends() -> None:
    here, there = socket.socketpair()
    wire, call, ended = Wire(), Call(), threading.Event()
    wire.sock = here

    def ask() -> None:
        call.connect(wire, lambda: None)
        here.recv(1)
        ended.set()

    with there, here:
        began = time.monotonic()
        with pytest.raises(TookTooLong):
            within(SOON, call, ask)
        assert call.connected
        assert ended.wait(5)
    assert time.monotonic() - began < 2


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TookTooLong(), "it took too long"),
        (ssl.SSLCertVerificationError(), "its certificate is not trusted"),
        (ssl.SSLError(), "no secure connection could be made"),
        (socket.gaierror(-2, "Name or service not known"), "its name was not found"),
        (caused(requests.ConnectTimeout(), TimeoutError()), "nothing came in time"),
        (
            caused(requests.ConnectionError(), ConnectionRefusedError()),
            "the connection was refused",
        ),
        (
            requests.ConnectionError(urllib3.exceptions.ProtocolError("x", ConnectionResetError())),
            "the connection broke",
        ),
        (http.client.RemoteDisconnected("x"), "the connection broke"),
        (http.client.BadStatusLine("x"), "what came was no HTTP"),
        (OSError(101, "Network is unreachable"), "the network failed"),
        (AttributeError("'list' object has no attribute 'get'"), "it could not be read"),
        (caused(json.JSONDecodeError("x", "", 0), StopIteration(0)), "it could not be read"),
    ],
)
def test_the_reason_of_a_network_error_is_in_our_words(error: Exception, words: str) -> None:
    assert why(error) == words


def test_an_error_that_is_not_of_the_network_is_logged_by_class_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        why(caused(ValueError("+33612345678"), KeyError("AC123")))
    assert caplog.messages == ["a provider's answer broke its client: ValueError < KeyError"]
