"""Makes the parts of a worker from the settings. Raises SettingsError for wrong values."""

from __future__ import annotations

from sqlalchemy import Engine
from temporalio.common import MetricMeter, VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

from activities.options import Outside, WorkerOptions
from activities.outbox_channels import outbox_channels
from activities.own_accounts import OwnAccounts
from activities.pruning import Pruning
from backoffice.people.vault import Vault
from backoffice.pruning.daily import Ages
from dunning.plan import ActionType
from providers.port import Channel
from providers.registry import PROVIDERS, channel, installed
from settings import Settings, SettingsError


def channels_of(settings: Settings, engine: Engine) -> dict[ActionType, Channel]:
    """The configured provider of each channel, or the outbox. Raises SettingsError."""
    channels = outbox_channels(engine, settings.outbox)
    taken: dict[ActionType, str] = {}
    try:
        accounts = installed(settings.of_provider)
    except ValueError as e:
        raise SettingsError(str(e)) from None
    for provider, account in accounts.items():
        if PROVIDERS[provider].channel is None:
            continue
        name = f"DUNNING_{provider.upper()}_…"
        try:
            made = channel(provider, account, settings.public_base_url or "")
        except ValueError as e:
            raise SettingsError(f"{name}: {e}") from None
        if made.type in taken:
            raise SettingsError(f"{taken[made.type]} and {name}: one provider sends {made.type}")
        channels[made.type], taken[made.type] = made, name
    return channels


def options_of(
    settings: Settings, engine: Engine, meter: MetricMeter | None = None
) -> WorkerOptions:
    """The options of a worker. Raises SettingsError for a malformed secret key."""
    return WorkerOptions(
        task_queue=settings.task_queue,
        threads=settings.worker_threads,
        deployment=_deployment(settings),
        outside=_outside(settings),
        answer_within=settings.statement_seconds,
        pruning=Pruning(engine, Ages(**settings.prune_days), settings.outbox),
        meter=meter,
    )


def _outside(settings: Settings) -> Outside:
    public_url = settings.public_base_url or ""
    return Outside(
        per_second={
            ActionType.EMAIL: settings.email_per_second,
            ActionType.SMS: settings.sms_per_second,
            ActionType.LETTER: settings.letters_per_second,
        },
        own=OwnAccounts(_vault(settings), public_url),
        public_url=public_url,
        look_up_after=settings.look_up_after,
    )


def _vault(settings: Settings) -> Vault:
    try:
        return Vault(settings.secret_key_list)
    except ValueError as e:
        raise SettingsError(f"DUNNING_SECRET_KEYS: {e}") from None


def _deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """Worker versioning; None without a build id."""
    if settings.build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.deployment_name, settings.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )
