"""A provider that answers from a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from dunning.plan import ActionType
from messages.message import Message
from providers.port import Accepted, CannotTell, LookUp, Result, not_its_type


class Provider:
    """A provider that answers from a script and repeats its last entry: a result, an exception to
    raise, or a function of the message. ``tried``: every message that was sent to it. ``asked``:
    every message that was looked up; ``knows`` is the script of these answers."""

    name = "stand-in"

    def __init__(
        self,
        *script: Result | BaseException | Callable[[Message], Result],
        idempotent: bool = False,
        kind: ActionType = ActionType.EMAIL,
        account: str = "its account",
        signers: tuple[str, ...] = (),
        knows: Sequence[LookUp] = (CannotTell("it has no search"),),
    ) -> None:
        self.account, self.signers = account, signers
        self.knows = list(knows)
        self.asked: list[Message] = []
        self.script = list(script) or [Accepted("id-1")]
        self.idempotent = idempotent
        self.type = kind
        self.tried: list[Message] = []

    def send(self, message: Message) -> Result:
        wrong = not_its_type(self, message)
        if wrong is not None:
            return wrong
        self.tried.append(message)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer(message) if callable(answer) else answer

    def look_up(self, message: Message, since: datetime) -> LookUp:
        self.asked.append(message)
        return self.knows.pop(0) if len(self.knows) > 1 else self.knows[0]
