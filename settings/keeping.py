"""After how many days old data is deleted."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class Keeping(BaseSettings):
    prune_callbacks_days: int = Field(
        90,
        ge=0,
        description="Days that a provider's callback is kept after it was taken in. 0, here and "
        "below: for ever.",
    )
    prune_unread_callbacks_days: int = Field(
        365, ge=0, description="Days that a callback is kept that nobody could match or read."
    )
    prune_links_days: int = Field(
        365,
        ge=0,
        description="Days that a short link is kept; that of an open invoice is kept longer.",
    )
    prune_files_days: int = Field(
        90,
        ge=0,
        description="Days that a file is kept after it came in, if no invoice, action or message "
        "refers to it.",
    )
    prune_outbox_days: int = Field(
        365, ge=0, description="Days that a message of the outbox is kept, row and file."
    )
    prune_signals_days: int = Field(
        365,
        ge=0,
        description="Days that the id of a signal by hand is remembered, so that it is applied "
        "once.",
    )
    prune_rehearsals_days: int = Field(
        30,
        ge=0,
        description="Days that a rehearsal in this database is kept, with all its data.",
    )

    @property
    def prune_days(self) -> dict[str, int]:
        """Days by kind of data: `callbacks`, `links` and so on; 0 = keep for ever."""
        names = Keeping.model_fields
        return {n.removeprefix("prune_").removesuffix("_days"): getattr(self, n) for n in names}
