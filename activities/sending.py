"""The activities that call providers."""

from __future__ import annotations

from sqlalchemy import Engine
from temporalio import activity

from activities.look_up import look_up
from activities.send import send
from backoffice.delivery.outgoing import Outgoing
from workflows.contracts import LOOK_UP, SEND, Instruction, SendInput


class Sending:
    def __init__(self, engine: Engine, outgoing: Outgoing) -> None:
        self._engine = engine
        self._outgoing = outgoing

    @activity.defn(name=SEND["email"])
    def send_email(self, order: SendInput) -> Instruction:
        return send(self._engine, self._outgoing, order)

    @activity.defn(name=SEND["sms"])
    def send_sms(self, order: SendInput) -> Instruction:
        return send(self._engine, self._outgoing, order)

    @activity.defn(name=SEND["letter"])
    def send_letter(self, order: SendInput) -> Instruction:
        return send(self._engine, self._outgoing, order)

    @activity.defn(name=LOOK_UP)
    def look_up(self, order: SendInput) -> Instruction:
        return look_up(self._engine, self._outgoing, order)
