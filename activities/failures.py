"""What Temporal is told of an error: its class, our words and its place in the code.

Failures stay in histories for months, are shown to whoever may open the Temporal UI, and quote what
they stumbled over: a row with its addresses, a provider's answer, the payload that did not load.
"""

from __future__ import annotations

from types import TracebackType

from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadConverter,
)
from temporalio.exceptions import ApplicationError, FailureError

from logs import words_of


class PlainFailures(DefaultFailureConverter):
    """For activities, sequences and queries. An error that was raised for Temporal keeps its words:
    they are ours, and must name nobody. Of every other one only ``words_of`` it remain, with the
    traceback, whose lines are code; what caused it is dropped, because it quotes as well."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        if not isinstance(exception, FailureError):
            kind = type(exception).__name__
            plain = ApplicationError(words_of(exception), type=kind)
            plain.__traceback__, plain.__suppress_context__ = _ours(exception.__traceback__), True
            exception = plain
        super().to_failure(exception, payload_converter, failure)


def _ours(trace: TracebackType | None) -> TracebackType | None:
    """From our own code on: how an engine calls an activity explains nothing to anybody."""
    part = trace
    while part is not None and "site-packages" in part.tb_frame.f_code.co_filename:
        part = part.tb_next
    return part or trace


class SealedFailures(PlainFailures, DefaultFailureConverterWithEncodedAttributes):
    """The same, with words and traceback where the codec encrypts them."""
