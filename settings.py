"""The settings: everything that may differ between two installations, read once and handed down.

This is the only module that reads the environment. Each setting is a variable `DUNNING_<NAME>`, or
a file `dunning_<name>` in the directory that `DUNNING_SECRETS_DIR` names (how container platforms
hand over secrets); a variable wins over a file. docs/settings.md is written from here. The
connection to Temporal (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
`TEMPORAL_TLS…`) is read by `temporalio.envconfig` and is none of our business.
"""

from __future__ import annotations

import difflib
import os
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "DUNNING_"
SECRETS_DIR = "DUNNING_SECRETS_DIR"


class SettingsError(ValueError):
    """The settings make no sense; the text names each variable and what to change."""


class Settings(BaseSettings):
    """All settings, frozen. Make one with `load_settings()`; in tests, with keyword arguments."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,  # a mistyped key must not end up in a log
        validate_default=True,
    )

    # Where things are
    database_url: SecretStr | None = Field(
        None,
        description="PostgreSQL, as `postgresql://user:password@host:5432/dunning`. Not set: the "
        "embedded one of `dunning serve`; the production worker and API refuse to start.",
    )
    state_dir: Path = Field(
        Path(".dunning"),
        description="Directory of everything the embedded services keep.",
    )
    host: str = Field(
        "127.0.0.1",
        description="Address on which `dunning serve` offers the API.",
    )
    api_port: int = Field(8080, ge=0, le=65535, description="Port of the API; 0 takes a free one.")
    temporal_port: int = Field(
        7233, ge=0, le=65535, description="Port of the embedded Temporal; 0 takes a free one."
    )
    temporal_ui_port: int = Field(
        8233, ge=0, le=65535, description="Port of the embedded Temporal UI; 0 takes a free one."
    )
    public_base_url: str | None = Field(
        None,
        description="How the outside reaches the API, as `https://dunning.example.com`. With "
        "https the API tells browsers to come back by https only.",
    )

    # What Temporal stores
    temporal_keys: SecretStr | None = Field(
        None,
        description="Keys that encrypt what Temporal stores, separated by commas: the first "
        "encrypts, all of them decrypt. Make one with `dunning temporal key`. Not set: it is "
        "stored readable.",
    )
    codec_port: int = Field(
        8234,
        ge=0,
        le=65535,
        description="Port on loopback where `dunning serve` and `dunning temporal codec` decrypt "
        "for the Temporal UI and the `temporal` command; 0 takes a free one.",
    )

    # Work
    task_queue: str = Field(
        "dunning",
        pattern=r"^[a-z0-9][a-z0-9-]{0,40}$",
        description="Name of the Temporal task queue; each channel's own queue starts with it.",
    )
    worker_threads: int = Field(
        20, ge=1, le=500, description="Activities that one worker process runs at the same time."
    )
    deployment_name: str = Field(
        "dunning", description="Name of the worker deployment, if `DUNNING_BUILD_ID` is set."
    )
    build_id: str | None = Field(
        None,
        description="Version of this worker. Set: customers who are in the middle of a run finish "
        "it on the version that began it. Not set: no worker versioning.",
    )

    # Messages
    sendgrid_api_key: SecretStr | None = Field(
        None, description="Key of SendGrid, `SG.…`. Not set: emails go to the outbox."
    )
    sendgrid_host: str | None = Field(
        None,
        description="Another address of SendGrid's API, as `https://api.eu.sendgrid.com`.",
    )
    sendgrid_webhook_keys: str = Field(
        "",
        description="Public keys of SendGrid's signed event webhook and inbound parse, in base64, "
        "separated by commas: both during a rotation. Not set: its callbacks are refused.",
    )
    sendgrid_inbound_domain: str | None = Field(
        None,
        description="Domain of SendGrid's inbound parse: replies go to `reply+…@` it and are "
        "matched to their customer. Not set: replies go to the member.",
    )
    twilio_account_sid: str | None = Field(
        None, description="Account of Twilio, `AC…`. Not set: SMS go to the outbox."
    )
    twilio_auth_token: SecretStr | None = Field(
        None, description="Its auth token, which also verifies its callbacks."
    )
    twilio_api_key_sid: str | None = Field(
        None, description="An API key of Twilio, `SK…`, to send with instead of the auth token."
    )
    twilio_api_key_secret: SecretStr | None = Field(None, description="The secret of that key.")
    twilio_sender: str | None = Field(
        None,
        description="Who an SMS is from: a number as `+33…`, a name, or a messaging service `MG…`.",
    )
    twilio_webhook_tokens: SecretStr | None = Field(
        None,
        description="Auth tokens that callbacks may be signed with, separated by commas: both "
        "during a rotation. Not set: `DUNNING_TWILIO_AUTH_TOKEN`.",
    )
    twilio_host: str | None = Field(None, description="Another address of Twilio's API.")
    lob_api_key: SecretStr | None = Field(
        None, description="Key of Lob, `live_…` or `test_…`. Not set: letters go to the outbox."
    )
    lob_sender: str | None = Field(
        None,
        description="Who a letter is from, and where in the US, because Lob posts from there only: "
        "`Amber & Sons; 185 Berry St; San Francisco; CA; 94107`.",
    )
    lob_webhook_secrets: SecretStr | None = Field(
        None,
        description="Secrets of Lob's webhook, separated by commas: both during a rotation. Not "
        "set: its callbacks are refused.",
    )
    lob_host: str | None = Field(None, description="Another address of Lob's API.")
    outbox_webhook_key: SecretStr | None = Field(
        None,
        description="Key that signs what `dunning outbox simulate` reports. `dunning serve` makes "
        "one by itself. Not set in production: such reports are refused.",
    )
    secret_keys: SecretStr | None = Field(
        None,
        description="Keys that seal the organisations' own accounts at providers, separated by "
        "commas, the newest first. `dunning serve` makes one by itself. Not set in production: "
        "organisations cannot have accounts of their own.",
    )
    email_per_second: float = Field(
        100, gt=0, le=10_000, description="Most emails a second, over all workers."
    )
    sms_per_second: float = Field(
        10, gt=0, le=10_000, description="Most SMS a second, over all workers."
    )
    letters_per_second: float = Field(
        10, gt=0, le=10_000, description="Most letters a second, over all workers."
    )
    look_up_minutes: str = Field(
        "1,5,15,60",
        description="When a provider whose answer was lost is asked whether it has the message: "
        "minutes after that, rising, separated by commas. Then its owner is asked.",
    )
    outbox_dir: Path | None = Field(
        None,
        description="Directory for messages of channels without a key. Not set: `outbox` in "
        "`DUNNING_STATE_DIR`.",
    )

    # What is kept for how long
    prune_callbacks_days: int = Field(
        90,
        ge=0,
        description="Days that a provider's callback is kept after it was taken in. 0, here and "
        "below: for ever.",
    )
    prune_unread_callbacks_days: int = Field(
        365, ge=0, description="Days that a callback is kept that nobody could match or read."
    )
    prune_links_days: int = Field(
        365,
        ge=0,
        description="Days that a short link is kept; that of an open invoice is kept longer.",
    )
    prune_files_days: int = Field(
        90,
        ge=0,
        description="Days that a file is kept after it came in, if no invoice, action or message "
        "refers to it.",
    )
    prune_outbox_days: int = Field(
        365, ge=0, description="Days that a message of the outbox is kept, row and file."
    )
    prune_signals_days: int = Field(
        365,
        ge=0,
        description="Days that the id of a signal by hand is remembered, so that it is applied "
        "once.",
    )
    prune_rehearsals_days: int = Field(
        30,
        ge=0,
        description="Days that a rehearsal in this database is kept, with all its data.",
    )

    # Limits
    max_body_bytes: int = Field(
        10_000_000,
        ge=1_000,
        description="Largest body of a batch, in bytes. That of other requests is 1,000,000 at "
        "most; imports have their own.",
    )
    max_import_bytes: int = Field(
        200_000_000, ge=1_000, description="Largest file of an import, in bytes."
    )
    body_seconds: float = Field(
        20,
        gt=0,
        le=3600,
        description="Longest wait for more of a request's body. After as long a body must have "
        "come with 4,096 bytes a second.",
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="Addresses and networks of the proxies in front of the API, separated by "
        "commas: what they say of their client (`X-Forwarded-For`, `X-Forwarded-Proto`) and their "
        "`X-Request-Id` are believed. `*` believes everybody, where nobody but the proxy reaches "
        "the API.",
    )

    request_seconds: float = Field(
        4.5,
        gt=0,
        le=3600,
        description="How long a request of the API waits for the database altogether; then it is "
        "answered 503. A batch waits a minute, imports for each statement.",
    )
    ready_seconds: float = Field(
        0.6, gt=0, le=60, description="The same for `/readyz`; whoever asks waits a bit longer."
    )
    statement_seconds: float = Field(
        15,
        gt=0,
        le=3600,
        description="How long PostgreSQL may take for one statement; then it is ended, and a "
        "connection on which nothing is answered is closed.",
    )
    import_statement_seconds: float = Field(
        600, gt=0, le=86_400, description="The same for a statement of an import."
    )

    # Watching
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level that is logged: DEBUG, INFO, WARNING or ERROR."
    )
    log_json: bool = Field(False, description="Log one JSON object per line.")
    metrics_bind_address: str | None = Field(
        None,
        pattern=r"^[^:/]+:\d{1,5}$",
        description="Where the worker offers Prometheus metrics, as `127.0.0.1:9464`; each process "
        "needs its own port. Not set: no metrics.",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        """Accept the spellings in use; SQLAlchemy needs the driver's name."""
        if value is None:
            return None
        scheme, separator, rest = value.get_secret_value().partition("://")
        if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
            raise ValueError("must begin with postgresql://")
        return SecretStr(f"postgresql+psycopg://{rest}")

    @field_validator("look_up_minutes")
    @classmethod
    def _rising(cls, value: str) -> str:
        try:
            minutes = [float(part) for part in value.split(",")]
        except ValueError:
            raise ValueError("must be minutes, as 1,5,15,60") from None
        if any(not 0 < m <= 10_080 for m in minutes) or minutes != sorted(set(minutes)):
            raise ValueError("must rise, each above 0 and at most 10080 (a week)")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for part in _parts(value):
            try:
                if part != "*":
                    ip_network(part)
            except ValueError:
                raise ValueError(
                    f"{part} is no address and no network, as 10.0.0.5 or 10.0.0.0/8"
                ) from None
        return value

    @field_validator("public_base_url", "sendgrid_host", "twilio_host", "lob_host")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("must begin with https:// (or http://)")
        return value.rstrip("/") if value else None

    @property
    def outbox(self) -> Path:
        """Directory of the outbox, chosen or default."""
        return self.outbox_dir or self.state_dir / "outbox"

    @property
    def prune_days(self) -> dict[str, int]:
        """How long what is pruned is kept, by its name in the settings."""
        names = [n for n in type(self).model_fields if n.startswith("prune_")]
        return {n.removeprefix("prune_").removesuffix("_days"): getattr(self, n) for n in names}

    @property
    def look_up_after(self) -> tuple[timedelta, ...]:
        """When a provider whose answer was lost is asked, after that."""
        return tuple(timedelta(minutes=float(part)) for part in self.look_up_minutes.split(","))

    @property
    def trusted_proxy_list(self) -> list[str]:
        found = _parts(self.trusted_proxies)
        return ["*"] if "*" in found else list(found)

    @property
    def secret_key_list(self) -> tuple[str, ...]:
        return _parts(self.secret_keys)

    @property
    def temporal_key_list(self) -> tuple[str, ...]:
        return _parts(self.temporal_keys)

    @property
    def outbox_webhook_keys(self) -> tuple[str, ...]:
        return _parts(self.outbox_webhook_key)

    def credentials(self) -> dict[str, dict[str, Any]]:
        """The installation's accounts, by provider, as ``providers.registry.account`` takes them;
        without a provider's first setting it has none. Raises `SettingsError` for half of one."""
        found: dict[str, dict[str, Any]] = {}
        if self.sendgrid_api_key is not None:
            found["sendgrid"] = {
                "api_key": self.sendgrid_api_key,
                "host": self.sendgrid_host,
                "webhook_keys": _parts(self.sendgrid_webhook_keys),
                "inbound_domain": self.sendgrid_inbound_domain,
            }
        if self.twilio_account_sid is not None:
            found["twilio"] = {
                "account_sid": self.twilio_account_sid,
                "auth_token": self.twilio_auth_token,
                "api_key_sid": self.twilio_api_key_sid,
                "api_key_secret": self.twilio_api_key_secret,
                "sender": self.twilio_sender,
                "webhook_tokens": _parts(self.twilio_webhook_tokens),
                "host": self.twilio_host,
            }
        if self.lob_api_key is not None:
            name, *address = [part.strip() for part in (self.lob_sender or "").split(";")]
            if len(address) != 4:
                raise SettingsError(
                    "DUNNING_LOB_SENDER: write the name and the address in the US, as "
                    "'Amber & Sons; 185 Berry St; San Francisco; CA; 94107'"
                )
            line1, city, region, postal_code = address
            found["lob"] = {
                "api_key": self.lob_api_key,
                "sender_name": name,
                "sender": {
                    "line1": line1,
                    "city": city,
                    "region": region,
                    "postal_code": postal_code,
                    "country": "US",
                },
                "webhook_secrets": _parts(self.lob_webhook_secrets),
                "host": self.lob_host,
            }
        self._refuse_halves(found)
        return {
            provider: {name: _plain(value) for name, value in data.items() if value}
            for provider, data in found.items()
        }

    def _refuse_halves(self, found: dict[str, dict[str, Any]]) -> None:
        """A provider with a key for this and none for that is no provider: a mistake."""
        first = {
            "sendgrid": "sendgrid_api_key",
            "twilio": "twilio_account_sid",
            "lob": "lob_api_key",
        }
        for provider, name in first.items():
            others = [n for n in type(self).model_fields if n.startswith(f"{provider}_")]
            stray = [n for n in others if n != name and getattr(self, n)]
            if provider not in found and stray:
                raise SettingsError(
                    f"{PREFIX}{stray[0].upper()} is set, but {PREFIX}{name.upper()} is not"
                )

    def require_database_url(self) -> str:
        """The database of a production process. Raises `SettingsError` if none is set."""
        if not self.database_url:
            raise SettingsError(
                "DUNNING_DATABASE_URL is not set: give it the address of a PostgreSQL, or start "
                "everything on this machine with `dunning serve`"
            )
        return self.database_url.get_secret_value()


def _parts(value: SecretStr | str | None) -> tuple[str, ...]:
    """The parts of a list that is written with commas."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value or ""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def load_settings() -> Settings:
    """Read the settings. Raises `SettingsError`, never showing a value."""
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
    """Refuse DUNNING_DATABSE_URL. Names further off are somebody else's (service links, say)."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields] + [SECRETS_DIR]
    for name in os.environ:
        if name.startswith(PREFIX) and name not in known:
            meant = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
            if meant:
                raise SettingsError(f"{name} is not a setting: did you mean {meant[0]}?")
