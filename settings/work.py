"""Encryption of what Temporal stores, task queue, threads and version of a worker."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from settings.values import parts


class Work(BaseSettings):
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

    @property
    def temporal_key_list(self) -> tuple[str, ...]:
        return parts(self.temporal_keys)
