"""Recorded histories replay, so that a sequence that slept for weeks continues under new code.

A failure means that the change would stop running sequences: restore the order of commands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from activities.workers import sandbox
from workflows.customer import CustomerSequence

HISTORIES = sorted((Path(__file__).parents[1] / "histories").glob("*.json"))


async def replay(history: WorkflowHistory, runner: Any) -> None:
    replayer = Replayer(
        workflows=[CustomerSequence],
        workflow_runner=runner,
        data_converter=pydantic_data_converter,
    )
    await replayer.replay_workflow(history)


def recorded(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text("utf-8"))


def test_at_least_six_histories_are_recorded() -> None:
    assert len(HISTORIES) >= 6


@pytest.mark.parametrize(
    "runner", [sandbox(), UnsandboxedWorkflowRunner()], ids=["sandbox", "plain"]
)
@pytest.mark.parametrize("path", HISTORIES, ids=lambda p: p.stem)
async def test_a_recorded_history_replays(
    path: Path, runner: SandboxedWorkflowRunner | UnsandboxedWorkflowRunner
) -> None:
    await replay(recorded(path), runner)


async def test_replay_fails_on_changed_command_order() -> None:
    """The history is changed: it has another activity in place of ``send_email``."""
    history = recorded(next(p for p in HISTORIES if p.stem == "reminders-call-and-end"))
    for event in history.events:
        scheduled = event.activity_task_scheduled_event_attributes
        if scheduled.activity_type.name == "send_email":
            scheduled.activity_type.name = "send_pigeon"
    with pytest.raises(NondeterminismError):
        await replay(history, sandbox())
