"""The connection to Temporal, and the metrics of its SDK."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from activities.payloads import data_converter
from settings import SettingsError


async def connect_temporal(
    address: str | None = None, runtime: Runtime | None = None, keys: Sequence[str] = ()
) -> Client:
    """Connect as ``temporalio.envconfig`` says, or to an embedded server at ``address``. With
    ``keys`` all payloads are encrypted. Raises SettingsError for a malformed key."""
    try:
        converter = data_converter(keys)
    except ValueError as e:
        raise SettingsError(f"DUNNING_TEMPORAL_KEYS: {e}") from None
    config: dict[str, Any] = dict(ClientConfig.load_client_connect_config())
    if address is not None:
        config["target_host"] = address
    config.setdefault("target_host", "127.0.0.1:7233")
    if runtime is not None:
        config["runtime"] = runtime
    return await Client.connect(**config, data_converter=converter)


def runtime_of(bind_address: str) -> Runtime:
    """Serves the SDK's metrics and ours to Prometheus. To be made once in each process."""
    metrics = PrometheusConfig(
        bind_address=bind_address,
        durations_as_seconds=True,
        unit_suffix=True,
        counters_total_suffix=True,
    )
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))
