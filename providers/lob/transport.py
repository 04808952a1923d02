"""The transport of one call to Lob, in place of the library's: one attempt, no redirects, the proxy
of the environment; it keeps the answer."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import urllib3
from requests.utils import (
    get_auth_from_url,
    get_environ_proxies,
    prepend_scheme_if_needed,
    select_proxy,
)

from providers.call import Call
from providers.connections import Plain, Secure


class Upload(io.BytesIO):
    name = "letter.pdf"  # the client asks for the name of the file


class LobCall(Call):
    """Keeps the answer, because the library's errors lose the status and fail on a body that is cut
    off. ``problem``: why there is no answer."""

    def __init__(self) -> None:
        super().__init__()
        self.body = b""
        self.problem = ""


class Transport:
    """The library's connection pool for one call. It uses the proxy that the environment names for
    this address (HTTPS_PROXY, NO_PROXY …), as the other clients do."""

    def __init__(self, call: LobCall) -> None:
        self._call = call
        self._pools: urllib3.PoolManager | None = None

    def request(self, method: str, url: str, **request: Any) -> Any:
        """Follows no redirect, which would send the API key to another host."""
        self._pools = pools = self._pool_manager(url)
        answer = pools.request(method, url, **request | {"redirect": False})
        self._call.status, self._call.headers = answer.status, answer.headers
        self._call.body = answer.data  # raises when it is cut off
        return answer

    def clear(self) -> None:
        if self._pools is not None:
            self._pools.clear()

    def _pool_manager(self, url: str) -> urllib3.PoolManager:
        settings: dict[str, Any] = {
            "cert_reqs": "CERT_REQUIRED",
            "retries": urllib3.Retry(total=False),
        }
        proxy = select_proxy(url, get_environ_proxies(url))
        if proxy is None:
            pools: urllib3.PoolManager = _reporting(urllib3.PoolManager, self._call)(**settings)
            return pools
        proxy = prepend_scheme_if_needed(proxy, "http")
        user, password = get_auth_from_url(proxy)
        if user:
            settings["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=f"{user}:{password}")
        by_proxy: urllib3.PoolManager = _reporting(urllib3.ProxyManager, self._call)(
            proxy, **settings
        )
        return by_proxy


def _reporting(kind: type[urllib3.PoolManager], call: Call) -> Any:
    """That class of pool, with connections that tell the call when they are open."""

    class Reporting(kind):  # type: ignore[misc, valid-type]
        def connection_from_host(self, *args: Any, **settings: Any) -> Any:
            pool: Any = super().connection_from_host(*args, **settings)
            pool.ConnectionCls = partial(Secure if pool.scheme == "https" else Plain, call)
            return pool

    return Reporting
