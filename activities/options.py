"""Options of a worker: from the settings, a rehearsal or a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from temporalio.common import MetricMeter
from temporalio.worker import WorkerDeploymentConfig

from activities.pruning import Pruning
from backoffice.delivery.outgoing import OwnChannel
from backoffice.delivery.unknown import LOOK_UP_AFTER
from backoffice.people.held_accounts import PROBE_AFTER
from dunning.plan import ActionType
from store.patience import ANSWER_WITHIN


@dataclass(frozen=True)
class Outside:
    """How a worker uses the providers, besides its channels.

    ``per_second``: the most calls of a channel, of all workers together; a missing channel has no
    limit. ``own``: the organisations' own accounts. ``public_url``: our public address.
    ``look_up_after``, ``probe_after``: as in ``backoffice.delivery.outgoing``.
    """

    per_second: Mapping[ActionType, float] = field(default_factory=dict)
    own: OwnChannel | None = None
    public_url: str = ""
    look_up_after: Sequence[timedelta] = LOOK_UP_AFTER
    probe_after: Sequence[timedelta] = PROBE_AFTER


@dataclass(frozen=True)
class WorkerOptions:
    """``threads``: activities at the same time; ``cached``: sequences kept in memory.

    ``answer_within``: seconds that the relay and the callbacks wait for an answer of the database.
    ``pruning``: prune every night, and make the Schedule if there is none. ``meter``: for our own
    metrics. ``relay=False``: no nudges are relayed and no callbacks read. ``sandboxed=False`` skips
    the import of modules for each run: for rehearsals, which start thousands.
    """

    task_queue: str = "dunning"
    threads: int = 20
    cached: int = 20_000
    deployment: WorkerDeploymentConfig | None = None
    outside: Outside = field(default_factory=Outside)
    answer_within: float = ANSWER_WITHIN
    pruning: Pruning | None = None
    meter: MetricMeter | None = None
    relay: bool = True
    sandboxed: bool = True
