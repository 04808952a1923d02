"""SendGrid's HTTP client made to try once, and to tell how far it came.

The library opens a connection of its own for every call, follows redirects with the key in hand
and does not say whether anything was sent. ``OneAttempt`` replaces that transport and nothing else.
"""

from __future__ import annotations

import http.client
import ssl
import urllib.request
from functools import partial
from typing import Any

from python_http_client.client import Client


class Call:
    """How far one call came: before the connection stands, nothing can have been sent."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.tls = tls
        self.connected = False

    def opener(self) -> urllib.request.OpenerDirector:
        return urllib.request.build_opener(_Http(self), _Https(self), _NoRedirect())


class OneAttempt(Client):  # type: ignore[misc]
    """The library's client with our transport; ``_make_request`` is the seam it leaves for that.

    ``timeout`` is in seconds and bounds each wait for the network. Raises what the library raises.
    """

    def __init__(self, *, call: Call, **settings: Any) -> None:
        super().__init__(**settings)
        self._call = call

    def _build_client(self, name: str | None = None) -> Client:
        return OneAttempt(
            call=self._call,
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            timeout=self.timeout,
        )

    def _make_request(self, opener: Any, request: Any, timeout: float | None = None) -> Any:
        return super()._make_request(self._call.opener(), request, timeout=timeout)


class _Plain(http.client.HTTPConnection):
    def __init__(self, call: Call, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._progress = call

    def connect(self) -> None:
        super().connect()
        self._progress.connected = True


class _Secure(http.client.HTTPSConnection):
    def __init__(self, call: Call, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._progress = call

    def connect(self) -> None:
        super().connect()  # the certificate is verified in here
        self._progress.connected = True


class _Http(urllib.request.HTTPHandler):
    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call = call

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(partial(_Plain, self._call), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, call: Call) -> None:
        super().__init__(context=call.tls)
        self._call = call

    def https_open(self, req: urllib.request.Request) -> Any:
        make = partial(_Secure, self._call)
        return self.do_open(make, req, context=self._call.tls)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host; it comes back as the answer it is."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None
