"""Keys that ``dunning serve`` makes by itself. In production they are settings."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from backoffice.people.vault import new_secret_key
from settings import Settings


def with_own_keys(settings: Settings, port: int) -> Settings:
    """The settings, completed by the address of the API and by keys from the state directory."""
    own: dict[str, object] = {}
    if settings.secret_keys is None:
        own["secret_keys"] = SecretStr(own_key(settings.state_dir / "secret.key"))
    if settings.outbox_webhook_key is None:
        own["outbox_webhook_key"] = SecretStr(outbox_key(settings))
    if settings.public_base_url is None:
        own["public_base_url"] = f"http://{settings.host}:{port}"
    return settings.model_copy(update=own)


def outbox_key(settings: Settings) -> str:
    """The key that signs callbacks of the outbox, if the settings have none."""
    return own_key(settings.state_dir / "outbox.key")


def own_key(path: Path) -> str:
    """The key in the file; the first call makes it, in a private file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(new_secret_key(), "ascii")
        draft.replace(path)
    return path.read_text("ascii").strip()
