"""The workers of the task queues: one for the sequences and reviews, one for each channel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from activities.options import WorkerOptions
from activities.review import Review
from activities.sending import Sending
from activities.slots import Slots
from dunning.plan import ActionType
from workflows.contracts import channel_queue
from workflows.customer import CustomerSequence
from workflows.prune import Prune

#: How long a workflow task waits for the worker that has the run in its cache; then another worker
#: takes it. The default of 10 s is too short: at 08:30 many runs wake up and wait for longer, and
#: would be replayed without need.
_STICKY = timedelta(seconds=20)


def sequence_worker(
    client: Client, review: Review, executor: ThreadPoolExecutor, options: WorkerOptions
) -> Worker:
    pruning = options.pruning
    return Worker(
        client,
        task_queue=options.task_queue,
        workflows=[CustomerSequence, Prune],
        activities=[review.review, *([pruning.prune] if pruning else [])],
        activity_executor=executor,
        max_concurrent_activities=Slots.of(options.threads).reviews,
        max_concurrent_workflow_tasks=20,
        max_cached_workflows=options.cached,
        sticky_queue_schedule_to_start_timeout=_STICKY,
        workflow_runner=sandbox() if options.sandboxed else UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(seconds=10),
        **_version(options),
    )


def channel_workers(
    client: Client, sending: Sending, executor: ThreadPoolExecutor, options: WorkerOptions
) -> dict[ActionType, Worker]:
    send = {
        ActionType.EMAIL: sending.send_email,
        ActionType.SMS: sending.send_sms,
        ActionType.LETTER: sending.send_letter,
    }
    return {
        kind: Worker(
            client,
            task_queue=channel_queue(options.task_queue, kind.value),
            activities=[activity, sending.look_up],
            activity_executor=executor,
            max_concurrent_activities=Slots.of(options.threads).sends,
            max_task_queue_activities_per_second=options.outside.per_second.get(kind),
            graceful_shutdown_timeout=timedelta(seconds=35),
            **_version(options),
        )
        for kind, activity in send.items()
    }


def _version(options: WorkerOptions) -> dict[str, Any]:
    """A constant build id: without one the SDK hashes every loaded module, which takes a second."""
    if options.deployment is not None:
        return {"deployment_config": options.deployment}
    return {"build_id": "unversioned"}


def sandbox() -> SandboxedWorkflowRunner:
    """The workflow sandbox; an import that is not declared as passed through is an error."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_import_notification_policy(
            SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
        )
    )
