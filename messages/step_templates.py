"""The templates of a step's texts."""

from __future__ import annotations

from dataclasses import dataclass

from messages.context import TABLES
from messages.template import Template, TemplateError, template


@dataclass(frozen=True, slots=True)
class StepTemplates:
    """None means an empty text."""

    subject: Template | None
    body: Template | None
    html: Template | None

    @classmethod
    def of(cls, subject: str, body: str, html: str) -> StepTemplates:
        """Raises TemplateError for a text that is refused."""
        if "\n" in subject or "\r" in subject:
            raise TemplateError("subject", "has a line break")
        title = template("subject", subject) if subject.strip() else None
        for table, whose in TABLES.items():
            if title is not None and table in title.names:
                raise TemplateError("subject", f"the table of {whose} has its place in the body")
        return cls(
            title,
            template("body", body) if body.strip() else None,
            template("html", html) if html.strip() else None,
        )

    @property
    def written(self) -> tuple[Template, ...]:
        """The templates that are not empty."""
        return tuple(t for t in (self.subject, self.body, self.html) if t is not None)

    @property
    def names(self) -> frozenset[str]:
        """The variables that the templates use."""
        return frozenset[str]().union(*(t.names for t in self.written))

    @property
    def size(self) -> int:
        """The number of nodes: the cost of checking and rendering the templates."""
        return sum(t.size for t in self.written)
