"""Settings: read once, checked whole, and never a secret in a message or a log."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from logs import mask, set_up_logging
from settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("DUNNING_"):
            monkeypatch.delenv(name)


def test_nothing_set_means_everything_embedded_on_loopback() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.sendgrid_api_key is None
    assert (settings.host, settings.api_port) == ("127.0.0.1", 8080)
    assert settings.outbox == Path(".dunning/outbox")


def test_a_production_process_without_a_database_is_told_what_to_set() -> None:
    with pytest.raises(SettingsError, match=r"DUNNING_DATABASE_URL is not set.*dunning serve"):
        load_settings().require_database_url()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_database_is_named_in_any_usual_spelling(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUNNING_DATABASE_URL", f"{scheme}://u:p@db:5432/dunning")
    assert load_settings().require_database_url() == "postgresql+psycopg://u:p@db:5432/dunning"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("DUNNING_DATABASE_URL", "mysql://u:geheim@db/x", "DUNNING_DATABASE_URL: must begin with"),
        ("DUNNING_API_PORT", "eighty", "DUNNING_API_PORT: "),
        ("DUNNING_API_PORT", "70000", "DUNNING_API_PORT: "),
        ("DUNNING_LOG_LEVEL", "loud", "DUNNING_LOG_LEVEL: "),
        ("DUNNING_PUBLIC_BASE_URL", "dunning.example.com", "DUNNING_PUBLIC_BASE_URL: must begin"),
        ("DUNNING_TASK_QUEUE", "Has Spaces", "DUNNING_TASK_QUEUE: "),
        ("DUNNING_METRICS_BIND_ADDRESS", "9464", "DUNNING_METRICS_BIND_ADDRESS: "),
        ("DUNNING_DATABSE_URL", "x", "did you mean DUNNING_DATABASE_URL"),
        ("DUNNING_SECRETS_DIR", "/nowhere", "DUNNING_SECRETS_DIR: /nowhere is not a directory"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_kept_quiet(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert message in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_variables_of_others_that_share_the_prefix_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DUNNING_API_PORT_8080_TCP_ADDR", "10.0.0.7")
    monkeypatch.setenv("DUNNING_SERVICE_HOST", "10.0.0.7")
    load_settings()


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUNNING_SENDGRID_API_KEY", "")
    assert load_settings().sendgrid_api_key is None


def test_a_secret_may_come_as_a_file_and_a_variable_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dunning_sendgrid_api_key").write_text("SG.from-a-file\n")
    monkeypatch.setenv("DUNNING_SECRETS_DIR", str(tmp_path))
    key = load_settings().sendgrid_api_key
    assert key
    assert key.get_secret_value() == "SG.from-a-file"
    monkeypatch.setenv("DUNNING_SENDGRID_API_KEY", "SG.from-a-variable")
    key = load_settings().sendgrid_api_key
    assert key
    assert key.get_secret_value() == "SG.from-a-variable"


def test_settings_do_not_change_and_do_not_show_their_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DUNNING_DATABASE_URL", "postgresql://u:geheim@db/dunning")
    settings = load_settings()
    assert "geheim" not in repr(settings) + settings.model_dump_json()
    with pytest.raises(ValueError, match="frozen"):
        settings.host = "0.0.0.0"  # type: ignore[misc]


def test_every_setting_has_a_description() -> None:
    assert [n for n, field in Settings.model_fields.items() if not field.description] == []


# -- logs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("key SG.abc123.def-456_x!", "key SG.***!"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("'authorization': 'bearer abcdefgh'", "'authorization': 'bearer ***'"),
        ("sk_live_0123456789 and whsec_abcdefgh", "sk_*** and whsec_***"),
        ("dun_live_7f3a_Zm9vYmFy", "dun_live_***"),
        ("postgresql+psycopg://u:pa55@db:5432/x", "postgresql+psycopg://u:***@db:5432/x"),
        ("INV-1042 of Ada, 12.50 EUR, task_queue", "INV-1042 of Ada, 12.50 EUR, task_queue"),
    ],
)
def test_keys_are_masked_and_plain_text_is_not(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_logging_as_before")
def test_a_json_line_carries_the_extras_and_a_masked_traceback() -> None:
    out = io.StringIO()
    set_up_logging("INFO", json_lines=True, stream=out)
    try:
        raise ValueError("Bearer geheimgeheim")
    except ValueError:
        logging.getLogger("dunning.test").exception("failed", extra={"customer": "c-1"})
    entry = json.loads(out.getvalue())
    assert (entry["level"], entry["logger"], entry["customer"]) == ("ERROR", "dunning.test", "c-1")
    assert entry["at"].endswith("Z")
    assert "Bearer ***" in entry["traceback"]
    assert "geheim" not in out.getvalue()


@pytest.mark.usefixtures("_logging_as_before")
def test_the_http_client_that_logs_its_key_is_quiet_even_at_debug() -> None:
    out = io.StringIO()
    set_up_logging("DEBUG", stream=out)
    logging.getLogger("python_http_client").debug("headers")
    logging.getLogger("dunning.test").debug("ours")
    assert "headers" not in out.getvalue()
    assert "DEBUG dunning.test: ours" in out.getvalue()
