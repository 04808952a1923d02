"""Reads the settings from the environment and from files; no other module reads these."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from pydantic import ValidationError

from settings.model import Settings
from settings.values import PREFIX, SettingsError

SECRETS_DIR = "DUNNING_SECRETS_DIR"


def load_settings() -> Settings:
    """Reads the settings. Raises `SettingsError`, which never shows a value."""
    _refuse_typos()
    secrets_dir = os.environ.get(SECRETS_DIR) or None
    if secrets_dir and not Path(secrets_dir).is_dir():
        raise SettingsError(f"{SECRETS_DIR}: {secrets_dir} is not a directory")
    try:
        return Settings(_secrets_dir=secrets_dir)
    except ValidationError as error:
        problems = [
            f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" if e["loc"] else e["msg"]
            for e in error.errors(include_input=False, include_url=False)
        ]
        cleaned = [problem.replace("Value error, ", "") for problem in problems]
        raise SettingsError("; ".join(cleaned)) from None


def _refuse_typos() -> None:
    """Refuses DUNNING_DATABSE_URL. Less similar names may belong to other programs."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields] + [SECRETS_DIR]
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            meant = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
            if meant:
                raise SettingsError(f"{name} is not a setting: did you mean {meant[0]}?")
