"""Rule 36: an action is decided again just before each attempt to send it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from dunning.decide import decide
from dunning.model import Account, Action, ActionStatus


def still_due(account: Account, action_id: str, now: datetime) -> bool:
    """Whether an action that was claimed would be sent if it were decided at ``now``."""
    mine = next(a for a in account.actions if a.id == action_id)
    status = ActionStatus.TO_DO if mine.requested else ActionStatus.PLANNED
    found = decide(_with(account, mine, status=status), now)
    same = (mine.invoice_id, mine.step_key) == (found.invoice_id, found.step_key)
    return found.send_on is mine.type and same


def why_not_again(account: Account, action_id: str, now: datetime) -> str:
    """Why a message in doubt would not be sent if its owner asked at ``now`` to send it once more.

    Empty: it would be sent.
    """
    mine = next(a for a in account.actions if a.id == action_id)
    asked = _with(account, mine, status=ActionStatus.TO_DO, requested=True, cause=None)
    found = decide(asked, now)
    return next((w.text for w in found.withdraw if w.action_id == action_id), "")


def _with(account: Account, action: Action, **changes: Any) -> Account:
    """The account as if nobody had tried to send this action, with the ``changes`` made to it."""
    other = replace(action, deadline=None, unknown=False, **changes)
    return replace(account, actions=tuple(other if a is action else a for a in account.actions))
