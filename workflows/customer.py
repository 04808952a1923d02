"""The sequence of one customer: sleeps until the next trigger, wakes on signals, stores no facts.

What to do next is the recorded result of an activity. So a changed rule, plan, holiday or time zone
cannot break the replay of a sequence that has slept for weeks.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy, SearchAttributeKey

with workflow.unsafe.imports_passed_through():
    from workflows.contracts import (
        FIRST_RETRY,
        LINGER,
        LONGEST_RETRY,
        LOOK_UP,
        LOOK_UP_TIMEOUT,
        NEXT,
        REVIEW,
        REVIEW_TIMEOUT,
        ROLL_AT_EVENTS,
        ROLL_AT_SIGNALS,
        SEND,
        SEND_TIMEOUT,
        SEQUENCE,
        STATE_ATTRIBUTE,
        Instruction,
        ReviewInput,
        SendInput,
        SequenceStart,
        Signal,
        Standing,
        channel_queue,
    )
    from workflows.details import at_work

_STATE = SearchAttributeKey.for_keyword(STATE_ATTRIBUTE)
_RETRY = RetryPolicy(initial_interval=FIRST_RETRY, maximum_interval=LONGEST_RETRY)


@workflow.defn(name=SEQUENCE)
class CustomerSequence:
    """One run for each carrying invoice; ``dunning/{organisation}/{customer}`` names them all."""

    @workflow.init
    def __init__(self, start: SequenceStart) -> None:
        self._start = start
        self._ids = (start.organisation_id, start.customer_id)
        self._inbox: list[Signal] = []
        self._signals = 0
        self._carrying = start.carrying
        self._state = start.state
        self._label = ""
        self._coming = start.next
        self._doing, self._since = "", workflow.now()

    @workflow.run
    async def run(self, start: SequenceStart) -> str:
        # The signal that started the run is already in the inbox: the first review reads it.
        coming = start.next or await self._review(self._unread())
        while True:
            self._tell(coming)
            self._roll_if_due(coming)
            if not await self._slept(coming):
                coming = await self._woken(coming)
            elif coming.then is not None:
                coming = await self._send(coming)
            elif coming.owes_nothing and not self._inbox:
                return "owes nothing"
            else:
                coming = await self._review()

    @workflow.signal
    def payment(self, *payloads: Any) -> None:
        self._remember("payment", payloads)

    @workflow.signal
    def complete(self, *payloads: Any) -> None:
        self._remember("complete", payloads)

    @workflow.signal
    def skip(self, *payloads: Any) -> None:
        self._remember("skip", payloads)

    @workflow.signal
    def pause(self, *payloads: Any) -> None:
        self._remember("pause", payloads)

    @workflow.signal
    def resume(self, *payloads: Any) -> None:
        self._remember("resume", payloads)

    @workflow.signal
    def account_changed(self, *payloads: Any) -> None:
        self._remember("account_changed", payloads)

    @workflow.query(name=NEXT)
    def next(self) -> Standing:
        """What comes next and when; ``decided`` is False before the first review has answered."""
        return Standing(
            about=self._start.about,
            summary=self._words(),
            doing=self._doing,
            since=self._since if self._doing else None,
            decided=self._coming is not None,
            unread=len(self._inbox),
            next=self._coming,
        )

    def _remember(self, signal: str, payloads: tuple[Any, ...]) -> None:
        """Handlers accept any number of payloads: a wrong number would fail the workflow task."""
        payload = payloads[0] if payloads else None
        self._inbox += Signal.read_all(signal, payload, str(workflow.uuid4()))
        self._signals += 1

    async def _slept(self, coming: Instruction) -> bool:
        """Sleeps until ``coming`` is due. False: a signal came first."""
        if coming.state == "send":
            return True
        until = coming.until
        if until is None and coming.owes_nothing:
            until = workflow.now() + LINGER
        if self._inbox:
            return False
        if until is None:
            await workflow.wait_condition(lambda: bool(self._inbox))
            return False
        left = until - workflow.now()
        if left <= timedelta(0):
            return True
        try:
            await workflow.wait_condition(
                lambda: bool(self._inbox), timeout=left, timeout_summary=coming.summary
            )
        except TimeoutError:
            return True
        return False

    def _unread(self) -> list[Signal]:
        messages, self._inbox = self._inbox, []
        return messages

    async def _woken(self, coming: Instruction) -> Instruction:
        messages = self._unread()
        if coming.then is not None and all(m.clock for m in messages):
            # A rehearsal's clock reached the wake-up time: the same as a fired timer.
            return await self._send(coming, max(m.nudge for m in messages))
        return await self._review(messages)

    async def _review(self, messages: list[Signal] | None = None) -> Instruction:
        self._begin(REVIEW)
        words = sorted({m.signal for m in messages or ()})
        result: Instruction = await workflow.execute_activity(
            REVIEW,
            ReviewInput(*self._ids, workflow.now(), messages or []),
            result_type=Instruction,
            start_to_close_timeout=REVIEW_TIMEOUT,
            retry_policy=_RETRY,
            summary=f"look again: {', '.join(words)}" if words else "look again",
            priority=self._priority(messages),
        )
        return result

    async def _send(self, coming: Instruction, handled: int = 0) -> Instruction:
        """Sends on the channel of ``coming``, or looks up a message whose answer was lost."""
        channel = coming.then or ""
        doing = LOOK_UP if coming.look_up else SEND[channel]
        self._begin(doing)
        result: Instruction = await workflow.execute_activity(
            doing,
            SendInput(*self._ids, workflow.now(), channel, handled),
            result_type=Instruction,
            task_queue=channel_queue(self._start.task_queue, channel),
            start_to_close_timeout=LOOK_UP_TIMEOUT if coming.look_up else SEND_TIMEOUT,
            retry_policy=_RETRY,
            summary=f"look up: {self._label}"[:190] if coming.look_up else self._label or channel,
            priority=self._priority(None),
        )
        return result

    def _priority(self, messages: list[Signal] | None) -> Priority:
        """What a person waits for goes first; fairness keys keep organisations from delaying
        others."""
        waited_for = any(m.signal in ("complete", "skip") for m in messages or ())
        return Priority(
            priority_key=1 if waited_for else None, fairness_key=self._start.organisation_id
        )

    def _begin(self, activity: str) -> None:
        """Names the running activity and its start in the current details. Otherwise an activity
        that is retried for hours would look like a sleeping run."""
        self._doing, self._since = activity, workflow.now()
        self._show()

    def _show(self) -> None:
        who = f"{self._start.about}: " if self._start.about else ""
        workflow.set_current_details(f"{who}{self._words()}")

    def _words(self) -> str:
        if self._doing:
            return at_work(self._doing, self._since, self._label)
        return self._coming.summary if self._coming else ""

    def _tell(self, coming: Instruction) -> None:
        """Shows the answer in the Temporal UI: current details, and the state if it changed."""
        self._label, self._coming, self._doing = coming.label, coming, ""
        self._show()
        if coming.state not in ("send", self._state):
            self._state = coming.state
            workflow.upsert_search_attributes([_STATE.value_set(coming.state)])

    def _roll_if_due(self, coming: Instruction) -> None:
        """Continues as new when another invoice carries, when the history or the number of signals
        is near its limit, or when a newer worker version is current.

        Never with an unread signal, which would be lost. At Temporal's limit of signals no more
        come in: the run reads those it has, then continues as new.
        """
        info = workflow.info()
        if self._carrying is None:
            self._carrying = coming.carrying
        another = coming.carrying is not None and coming.carrying != self._carrying
        due = (
            another
            or info.get_current_history_length() > ROLL_AT_EVENTS
            or self._signals >= ROLL_AT_SIGNALS
            or info.is_continue_as_new_suggested()
        )
        newer = info.is_target_worker_deployment_version_changed()
        if not (due or newer) or self._inbox or not workflow.all_handlers_finished():
            return
        carrying = coming.carrying if another else self._carrying
        following = replace(self._start, carrying=carrying, next=coming, state=self._state)
        if newer:
            workflow.continue_as_new(
                following,
                initial_versioning_behavior=workflow.ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
            )
        workflow.continue_as_new(following)
