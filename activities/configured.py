"""The parts of the worker as the settings say. Raises SettingsError for what makes no sense."""

from __future__ import annotations

from sqlalchemy import Engine
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

from activities.outbox_channels import outbox_channels
from activities.own_accounts import OwnAccounts
from activities.pruning import Pruning
from activities.running import Outside
from backoffice.people.credentials import Vault
from backoffice.pruning.daily import Ages
from dunning.plan import ActionType
from providers.port import Channel
from providers.registry import account, channel
from settings import Settings, SettingsError


def channels_of(settings: Settings, engine: Engine) -> dict[ActionType, Channel]:
    """Configured = the provider; not configured = the outbox; misconfigured = SettingsError."""
    channels = outbox_channels(engine, settings.outbox)
    for provider, credentials in settings.credentials().items():
        try:
            made = channel(account(provider, credentials), settings.public_base_url or "")
        except ValueError as e:
            raise SettingsError(f"DUNNING_{provider.upper()}_…: {e}") from None
        channels[made.type] = made
    return channels


def outside_of(settings: Settings) -> Outside:
    """Raises SettingsError for keys that are none."""
    public_url = settings.public_base_url or ""
    return Outside(
        per_second={
            ActionType.EMAIL: settings.email_per_second,
            ActionType.SMS: settings.sms_per_second,
            ActionType.LETTER: settings.letters_per_second,
        },
        own=OwnAccounts(vault_of(settings), public_url),
        public_url=public_url,
        look_up_after=settings.look_up_after,
    )


def vault_of(settings: Settings) -> Vault:
    try:
        return Vault(settings.secret_key_list)
    except ValueError as e:
        raise SettingsError(f"DUNNING_SECRET_KEYS: {e}") from None


def pruning_of(settings: Settings, engine: Engine) -> Pruning:
    return Pruning(engine, Ages(**settings.prune_days), settings.outbox)


def deployment_of(settings: Settings) -> WorkerDeploymentConfig | None:
    """Worker versioning, only when a build id is configured."""
    if settings.build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.deployment_name, settings.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )
