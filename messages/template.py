"""The templates of a plan: Jinja in a sandbox, behind an allow-list of syntax.

The sandbox alone does not stop ``{{ 'x' * 200000000 }}`` or nested loops, so everything that is not
allowed is refused when the plan is saved: nodes, filters, variables and their attributes by name.
A template that passes cannot run long, cannot call anything and cannot name what does not exist.
The same is looked at before each message, so that one that was saved without these limits is
refused and not worked out. docs/decisions/0035 has the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import jinja2
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from jinja2 import nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from messages.message import TEXT_CONTROL, one_line
from messages.syntax import MAX_NODES, EveryBranch, Refused, used

MAX_SOURCE = 60_000
#: Of all sorts: a name, a dot, an operator, the text between two tags.
MAX_TOKENS = 8 * MAX_NODES
#: Nodes that are worked out for one message: about a second, and 100 of them for 5,000 invoices.
MAX_WORK = 500_000
MAX_OUTPUT = 500_000
_DATE_FORMATS = ("short", "medium", "long", "full")


class TemplateError(ValueError):
    """A template that is refused: ``where`` is ``subject``, ``body`` or ``html``, ``reason`` a
    sentence."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason


class Amount(Decimal):
    """An amount that knows its currency, so that a template can print it without saying which."""

    currency: str

    @classmethod
    def of(cls, value: Decimal, currency: str) -> Amount:
        amount = cls(value)
        amount.currency = currency
        return amount


def money(value: Decimal, currency: str, locale: Locale) -> str:
    """The amount as the language writes it, with the currency's own number of decimals."""
    currency = one_line(currency, 10)
    try:
        return str(format_currency(value, currency, locale=locale))
    except InvalidOperation:  # more digits than Babel can round
        return f"{value} {currency}"


def day(value: date, locale: Locale, form: str = "long") -> str:
    return str(format_date(value, form, locale=locale))


class Template:
    """A checked template. Raises TemplateError when it is made, or when rendering finds a fault.

    That of ``html`` escapes every value it prints, so that a name is never a tag.
    """

    def __init__(self, where: str, source: str) -> None:
        self.where = where
        self.source = source
        self._environment = _HTML if where == "html" else _TEXT
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
        """The variables that it names."""
        return self._used.names

    @property
    def size(self) -> int:
        """Its nodes: what checking it and working it out costs."""
        return self._used.size

    def render(self, context: Mapping[str, Any], locale: Locale) -> str:
        return self._render(self._template, context, locale)

    def try_out(self, contexts: Iterable[Mapping[str, Any]], locale: Locale) -> None:
        """Render every branch, whatever its condition, to find what would fail later."""
        every = self._compile(EveryBranch().visit(self._parse()))
        for context in contexts:
            self._render(every, context, locale)

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

    def _render(self, template: jinja2.Template, context: Mapping[str, Any], locale: Locale) -> str:
        if self._used.work(context) > MAX_WORK:
            raise TemplateError(self.where, "has too much in a loop for so many invoices")
        parts: list[str] = []
        size = 0
        try:
            for part in template.generate({**context, "_locale": locale}):
                size += len(part)
                if size > MAX_OUTPUT:
                    raise TemplateError(self.where, f"becomes longer than {MAX_OUTPUT} characters")
                parts.append(part)
        except TemplateError:
            raise
        except _Unfit as error:
            raise TemplateError(self.where, str(error)) from None
        except jinja2.TemplateError as error:
            raise TemplateError(self.where, str(error)) from None
        except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
            raise TemplateError(self.where, f"cannot be rendered: {error}") from None
        return "".join(parts)


@lru_cache(maxsize=512)
def template(where: str, source: str) -> Template:
    """The checked and compiled template; the same source is compiled once."""
    return Template(where, source)


class _Unfit(Exception):
    """A value that a filter cannot take, or that cannot be printed."""


@jinja2.pass_context
def _print(context: Context, value: Any) -> Any:
    """What ``{{ value }}`` writes: amounts, numbers and dates in the customer's language."""
    locale = context["_locale"]
    if isinstance(value, Amount):
        return money(value, value.currency, locale)
    if isinstance(value, date):
        return day(value, locale)
    if isinstance(value, bool | str | jinja2.Undefined):
        return value
    if isinstance(value, int | float | Decimal):
        return format_decimal(value, locale=locale)
    raise _Unfit("a list or a group of values cannot be printed; name one of its values")


@jinja2.pass_context
def _money_filter(context: Context, value: Any, currency: Any = None) -> str:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _Unfit("the filter money takes an amount")
    currency = currency or getattr(value, "currency", None)
    if not isinstance(currency, str):
        raise _Unfit("the filter money needs a currency here, as in money('EUR')")
    return money(Decimal(value), currency, context["_locale"])


@jinja2.pass_context
def _date_filter(context: Context, value: Any, form: Any = "long") -> str:
    if not isinstance(value, date):
        raise _Unfit("the filter date takes a date")
    if form not in _DATE_FORMATS:
        raise _Unfit(f"the filter date takes one of {', '.join(_DATE_FORMATS)}")
    return day(value, context["_locale"], form)


def _environment(*, autoescape: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_print,
    )
    kept = ("upper", "lower", "capitalize", "trim", "length", "default")
    own: dict[str, Callable[..., Any]] = {"money": _money_filter, "date": _date_filter}
    environment.filters = {name: environment.filters[name] for name in kept} | own
    environment.tests = {}
    environment.globals = {}
    return environment


_TEXT = _environment(autoescape=False)  # its HTML is escaped as a whole, constants included
_HTML = _environment(autoescape=True)
