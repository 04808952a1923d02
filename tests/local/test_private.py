"""Files that we write are readable by the current user alone: files 0600, directories 0700."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cli
import worker
from dunning.plan import ActionType
from local.embedded.private import close_state_dir, write_for_us_alone
from local.embedded.unprivileged import let_in
from local.own_keys import own_key
from local.running import noted
from local.standalone import Embedded, Services
from providers.outbox.send import Outbox
from settings import SettingsError
from tests.cast.letters import email, sms


def modes(top: Path) -> dict[str, int]:
    """The mode of every file and directory below ``top``, without sockets and links."""
    found = {".": top.lstat().st_mode}
    for folder, folders, files in os.walk(top):
        for path in (Path(folder, name) for name in (*folders, *files)):
            found[path.relative_to(top).as_posix()] = path.lstat().st_mode
    kinds = (stat.S_ISREG, stat.S_ISDIR)
    return {k: stat.S_IMODE(m) for k, m in found.items() if any(kind(m) for kind in kinds)}


def open_to_others(top: Path) -> dict[str, str]:
    return {name: oct(mode) for name, mode in modes(top).items() if mode & 0o077}


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def left_open(state: Path) -> None:
    """A state directory as older versions made them."""
    (state / "outbox" / "amber").mkdir(parents=True)
    for name in ("temporal.db", "temporal.db-wal", "services.json", "outbox/amber/1.eml"):
        (state / name).write_text("x")
    assert open_to_others(state)


@pytest.mark.services
def test_no_file_of_a_start_and_a_send_is_readable_by_others(tmp_path: Path) -> None:
    state = tmp_path / "deep" / ".dunning"
    left_open(state)
    for name in ("temporal.db", "temporal.db-wal"):
        (state / name).unlink()
    write_for_us_alone()
    with Embedded(state, durable=False) as services:
        where = Services(services.database_url, services.temporal_address, None)
        own_key(state / "secret.key")
        for message in (email(), sms()):
            Outbox(message.channel, lambda _: None, state / "outbox").send(message)
        with noted(state, where, "http://127.0.0.1:8080"):
            found = modes(state)
    top = found.pop(".")
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}
    assert top == (0o710 if os.geteuid() == 0 else 0o700)  # PostgreSQL passes as nobody
    for name in ("temporal.db", "temporal.log", "postgres/PG_VERSION", "secret.key", "lock"):
        assert found[name] & 0o600 == 0o600
    assert sum(name.endswith((".eml", ".txt")) for name in found) >= 3


def test_every_process_starts_with_umask_077(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_settings() -> None:
        raise SettingsError("none")

    def ended(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(worker, "load_settings", no_settings)
    monkeypatch.setattr(os, "_exit", ended)
    monkeypatch.setattr(sys, "argv", ["dunning", "--help"])
    for main in (cli.main, worker.main):
        os.umask(0o022)
        with pytest.raises(SystemExit):
            main()
        assert os.umask(0o022) == 0o077


def test_readable_files_of_an_older_version_become_private(tmp_path: Path) -> None:
    left_open(tmp_path)
    (tmp_path / "secret.key").write_text("x")
    (tmp_path / "secret.key").chmod(0o400)
    close_state_dir(tmp_path)
    assert open_to_others(tmp_path) == {}
    assert modes(tmp_path)["secret.key"] == 0o400


def test_files_of_others_in_the_state_directory_keep_their_permissions(tmp_path: Path) -> None:
    state, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    left_open(state)
    elsewhere.write_text("x")
    (state / "outbox" / "link").symlink_to(elsewhere)
    (state / "somebody-elses").write_text("x")
    state.chmod(0o755)
    close_state_dir(state)
    assert set(open_to_others(state)) == {".", "somebody-elses"}
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o644


def test_outbox_files_are_private_under_any_umask(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    Outbox(ActionType.EMAIL, lambda _: None, folder).send(email())
    assert set(modes(folder).values()) == {0o700, 0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_only_postgresql_as_nobody_can_pass_through_the_state_directory(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    let_in(state, 65534)
    let_in(state, 65534)
    assert (stat.S_IMODE(state.stat().st_mode), state.stat().st_gid) == (0o710, 65534)
