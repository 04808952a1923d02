"""The templates of a plan: Jinja in a sandbox, behind an allow-list of syntax.

The sandbox alone does not stop ``{{ 'x' * 200000000 }}`` or nested loops. So everything that is not
allowed by name (nodes, filters, variables, attributes) is refused when the plan is saved. A
template that passes cannot run long, call anything, or use a name that does not exist. The check is
repeated before each message: a template that was saved before these limits is refused and not
rendered (docs/decisions/0035 has the figures).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import jinja2
from babel import Locale
from jinja2 import nodes

from messages.body import Body, Part, as_text, joined
from messages.filters import HTML, TEXT, Unfit
from messages.lines import TEXT_CONTROL
from messages.syntax import MAX_NODES, EveryBranch, Refused, used

MAX_SOURCE = 60_000
#: Tokens of every kind: a name, a dot, an operator, the text between two tags.
MAX_TOKENS = 8 * MAX_NODES
#: Nodes that are evaluated for one message: about a second. 100 nodes for each of 5,000 invoices.
MAX_WORK = 500_000
MAX_OUTPUT = 500_000


class TemplateError(ValueError):
    """A refused template: ``where`` is ``subject``, ``body`` or ``html``, ``reason`` says why."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason


class Template:
    """A checked template. Raises TemplateError when it is made, and when rendering fails.

    A template with ``where`` = ``html`` escapes every value that it prints.
    """

    def __init__(self, where: str, source: str) -> None:
        self.where = where
        self.source = source
        self._environment = HTML if where == "html" else TEXT
        tree = self._parse()
        try:
            self._used = used(tree, frozenset(self._environment.filters))
        except Refused as error:
            raise TemplateError(where, str(error)) from None
        except RecursionError:
            raise TemplateError(where, "is nested too deeply") from None
        self._template = self._compile(tree)

    @property
    def names(self) -> frozenset[str]:
        """The variables that it uses."""
        return self._used.names

    @property
    def size(self) -> int:
        """The number of its nodes: the cost of checking and rendering it."""
        return self._used.size

    def render(self, context: Mapping[str, Any], locale: Locale) -> str:
        """The rendered text, with its tables as text."""
        return as_text(self.fill(context, locale))

    def fill(self, context: Mapping[str, Any], locale: Locale) -> Body:
        """The rendered body, with its tables as tables."""
        return self._fill(self._template, context, locale)

    def try_out(self, contexts: Iterable[Mapping[str, Any]], locale: Locale) -> None:
        """Renders every branch, ignoring conditions, to find errors before a message is sent."""
        every = self._compile(EveryBranch().visit(self._parse()))
        for context in contexts:
            self._fill(every, context, locale)

    def _parse(self) -> nodes.Template:
        if len(self.source) > MAX_SOURCE:
            raise TemplateError(self.where, f"is longer than {MAX_SOURCE} characters")
        if TEXT_CONTROL.search(self.source):
            raise TemplateError(self.where, "has a control character")
        try:
            for count, _ in enumerate(self._environment.lex(self.source)):
                if count > MAX_TOKENS:
                    raise TemplateError(self.where, f"has more than {MAX_TOKENS:,} words and signs")
            return self._environment.parse(self.source)
        except TemplateError:
            raise
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(self.where, f"line {error.lineno}: {error.message}") from None
        except (RecursionError, ValueError, OverflowError, MemoryError):
            raise TemplateError(self.where, "is nested too deeply or has a huge number") from None

    def _compile(self, tree: nodes.Template) -> jinja2.Template:
        try:
            code = self._environment.compile(tree)
        except (RecursionError, SyntaxError, ValueError, OverflowError, MemoryError):
            raise TemplateError(self.where, "is nested too deeply") from None
        except jinja2.TemplateError as error:
            raise TemplateError(self.where, str(error)) from None
        return jinja2.Template.from_code(self._environment, code, {})

    def _fill(self, template: jinja2.Template, context: Mapping[str, Any], locale: Locale) -> Body:
        if self._used.work(context) > MAX_WORK:
            raise TemplateError(self.where, "has too much in a loop for so many invoices")
        made: list[Part] = []
        size = 0
        try:
            parts: Iterator[Part] = template.generate({**context, "_locale": locale})
            for part in parts:
                size += len(part) if isinstance(part, str) else 1
                if size > MAX_OUTPUT:
                    raise TemplateError(self.where, f"becomes longer than {MAX_OUTPUT} characters")
                made.append(part)
        except TemplateError:
            raise
        except Unfit as error:
            raise TemplateError(self.where, str(error)) from None
        except jinja2.TemplateError as error:
            raise TemplateError(self.where, str(error)) from None
        except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
            raise TemplateError(self.where, f"cannot be rendered: {error}") from None
        return joined(made)


@lru_cache(maxsize=512)
def template(where: str, source: str) -> Template:
    """The checked and compiled template; the same source is compiled once."""
    return Template(where, source)
