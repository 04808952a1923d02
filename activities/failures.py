"""Failures as Temporal stores them: an error's class, its place in the code, and no personal data.

They stay in histories for months, everybody with access to the Temporal UI sees them, and an
error's own text may quote data: a row with addresses, a provider's answer, a payload.
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
    """For activities, workflows and queries. An error that was raised for Temporal (FailureError)
    keeps its text, which must hold no personal data. Of any other error ``words_of`` it and the
    traceback are stored; its causes are dropped, because they may quote data, too."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        if not isinstance(exception, FailureError):
            kind = type(exception).__name__
            plain = ApplicationError(words_of(exception), type=kind)
            plain.__traceback__, plain.__suppress_context__ = (
                _our_frames(exception.__traceback__),
                True,
            )
            exception = plain
        super().to_failure(exception, payload_converter, failure)


def _our_frames(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from our own code on, without the frames of the SDK."""
    part = trace
    while part is not None and "site-packages" in part.tb_frame.f_code.co_filename:
        part = part.tb_next
    return part or trace


class SealedFailures(PlainFailures, DefaultFailureConverterWithEncodedAttributes):
    """The same, with text and traceback encrypted by the codec."""
