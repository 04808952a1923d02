"""Settings are read once and all checked, and no secret is in an error or a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("DUNNING_"):
            monkeypatch.delenv(name)


def test_without_settings_everything_is_embedded_and_on_loopback() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert settings.sendgrid_api_key is None
    assert (settings.host, settings.api_port) == ("127.0.0.1", 8080)
    assert settings.outbox == Path(".dunning/outbox")


def test_a_production_process_without_a_database_names_the_missing_setting() -> None:
    with pytest.raises(SettingsError, match=r"DUNNING_DATABASE_URL is not set.*dunning serve"):
        load_settings().require_database_url()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_spelling_of_a_postgresql_url_is_accepted(
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
def test_a_wrong_setting_is_named_without_its_value(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert message in str(caught.value)
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_variables_of_other_programs_with_our_prefix_are_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DUNNING_API_PORT_8080_TCP_ADDR", "10.0.0.7")
    monkeypatch.setenv("DUNNING_SERVICE_HOST", "10.0.0.7")
    load_settings()


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUNNING_SENDGRID_API_KEY", "")
    assert load_settings().sendgrid_api_key is None


def test_a_secret_is_read_from_a_file_unless_a_variable_is_set(
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


def test_settings_are_frozen_and_hide_their_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DUNNING_DATABASE_URL", "postgresql://u:geheim@db/dunning")
    settings = load_settings()
    assert "geheim" not in repr(settings) + settings.model_dump_json()
    with pytest.raises(ValueError, match="frozen"):
        settings.host = "0.0.0.0"  # type: ignore[misc]


def test_every_setting_has_a_description() -> None:
    assert [n for n, field in Settings.model_fields.items() if not field.description] == []
