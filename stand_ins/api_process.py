"""The API in a process of its own, as in production, with the given settings."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from local.embedded.ports import take_port

_START_SECONDS = 20.0


@contextmanager
def api_process(settings: Mapping[str, str]) -> Iterator[str]:
    """Gives its base address once it answers. ``settings``: by name of environment variable."""
    port = take_port(0, "")
    base = f"http://127.0.0.1:{port}"
    command = ["-m", "uvicorn", "--factory", "api.app:create_app", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, *command, "--no-access-log", "--log-level", "warning"],
        env={"PATH": "/usr/bin:/bin", **settings},
    )
    try:
        _wait_until_ready(base)
        yield base
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_ready(base: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            httpx.get(f"{base}/readyz").raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
