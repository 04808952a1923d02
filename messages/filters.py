"""What ``{{ value | filter }}`` writes in a template: the filters, and how each value is printed.

Only ``finalize`` prints values, and it leaves a table as it is. Jinja's code generator for native
types keeps what ``finalize`` returns; the usual generator would turn it into text.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import jinja2
from babel import Locale
from babel.numbers import format_decimal
from jinja2.nativetypes import NativeCodeGenerator
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import escape

from messages.body import Part
from messages.formats import Amount, day, money
from messages.table import Table

_DATE_FORMATS = ("short", "medium", "long", "full")
#: Jinja's own text filters that a template may use. They leave a table as it is.
_TEXT_FILTERS = ("upper", "lower", "capitalize", "trim")


class Unfit(Exception):
    """A value that a filter cannot take, or that cannot be printed."""


@jinja2.pass_context
def _printed(context: Context, value: Any) -> Part:
    """Amounts, numbers and dates in the customer's language; a table as it is. Raises Unfit."""
    if isinstance(value, Table):
        return value
    locale: Locale = context["_locale"]
    if isinstance(value, Amount):
        return money(value, value.currency, locale)
    if isinstance(value, date):
        return day(value, locale)
    if isinstance(value, bool | jinja2.Undefined):
        return str(value)
    if isinstance(value, str):
        return value
    if isinstance(value, int | float | Decimal):
        return str(format_decimal(value, locale=locale))
    raise Unfit("a list or a group of values cannot be printed; name one of its values")


@jinja2.pass_context
def _printed_in_html(context: Context, value: Any) -> Part:
    """``_printed``, escaped for HTML."""
    printed = _printed(context, value)
    return printed if isinstance(printed, Table) else escape(printed)


@jinja2.pass_context
def _money(context: Context, value: Any, currency: Any = None) -> str:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unfit("the filter money takes an amount")
    currency = currency or getattr(value, "currency", None)
    if not isinstance(currency, str):
        raise Unfit("the filter money needs a currency here, as in money('EUR')")
    return money(Decimal(value), currency, context["_locale"])


@jinja2.pass_context
def _date(context: Context, value: Any, form: Any = "long") -> str:
    if not isinstance(value, date):
        raise Unfit("the filter date takes a date")
    if form not in _DATE_FORMATS:
        raise Unfit(f"the filter date takes one of {', '.join(_DATE_FORMATS)}")
    return day(value, context["_locale"], form)


def _length(value: Any) -> int:
    return 1 if isinstance(value, Table) else len(value)


def _of_text(own: Callable[..., Any]) -> Callable[..., Any]:
    def filtered(value: Any, *args: Any, **named: Any) -> Any:
        return value if isinstance(value, Table) else own(value, *args, **named)

    return filtered


def _environment(
    finalize: Callable[..., Part], *, autoescape: bool
) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
    environment.code_generator_class = NativeCodeGenerator
    known = environment.filters
    environment.filters = {
        "default": known["default"],
        "length": _length,
        "money": _money,
        "date": _date,
        **{name: _of_text(known[name]) for name in _TEXT_FILTERS},
    }
    environment.tests = {}
    environment.globals = {}
    return environment


#: For text. The HTML made from that text is escaped as a whole, constants included.
TEXT = _environment(_printed, autoescape=False)
#: For HTML. Each value is escaped where it is printed.
HTML = _environment(_printed_in_html, autoescape=True)
