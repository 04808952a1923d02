"""SendGrid's HTTP client with one attempt, which reports how far the call came.

The library opens a connection for every call, follows redirects with the API key, and does not say
whether anything was sent. ``OneAttempt`` replaces only its transport.
"""

from __future__ import annotations

import http.client
import ssl
import urllib.request
from functools import partial
from typing import Any

from python_http_client.client import Client

from providers.call import Call


class OneAttempt(Client):  # type: ignore[misc]
    """The library's client with our transport; ``_make_request`` is the method to override.

    ``timeout`` is in seconds and bounds each wait for the network. Raises what the library raises.
    """

    def __init__(self, *, call: Call, tls: ssl.SSLContext, **settings: Any) -> None:
        super().__init__(**settings)
        self._call = call
        self._tls = tls

    def _build_client(self, name: str | None = None) -> Client:
        return OneAttempt(
            call=self._call,
            tls=self._tls,
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            timeout=self.timeout,
        )

    def _make_request(self, opener: Any, request: Any, timeout: float | None = None) -> Any:
        ours = urllib.request.build_opener(
            _Http(self._call), _Https(self._call, self._tls), _NoRedirect(), _Noting(self._call)
        )
        return super()._make_request(ours, request, timeout=timeout)


class _Plain(http.client.HTTPConnection):
    def __init__(self, call: Call, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._call = call

    def connect(self) -> None:
        self._call.connect(self, super().connect)


class _Secure(http.client.HTTPSConnection):
    def __init__(self, call: Call, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._call = call

    def connect(self) -> None:
        self._call.connect(self, super().connect)  # the certificate is verified in here


class _Http(urllib.request.HTTPHandler):
    def __init__(self, call: Call) -> None:
        super().__init__()
        self._call = call

    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(partial(_Plain, self._call), req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, call: Call, tls: ssl.SSLContext) -> None:
        super().__init__(context=tls)
        self._call = call
        self._tls = tls

    def https_open(self, req: urllib.request.Request) -> Any:
        make = partial(_Secure, self._call)
        return self.do_open(make, req, context=self._tls)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Returns a redirect as the answer: following it would send the API key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class _Noting(urllib.request.BaseHandler):
    """Keeps the status and the headers before the library turns them into an error."""

    handler_order = 0

    def __init__(self, call: Call) -> None:
        self._call = call

    def http_response(self, request: urllib.request.Request, response: Any) -> Any:
        self._call.status, self._call.headers = response.status, response.headers
        return response

    https_response = http_response
