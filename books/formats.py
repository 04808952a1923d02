"""Recognises from samples how a column is written: dates, amounts, empty cells, floats.

No sample is empty. A result fits all samples.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from books.cells import parse_amount, parse_date
from dunning.currency import CURRENCIES

#: What other programs write for an empty cell, in upper or lower case.
NOTHING = frozenset(
    {
        "-",
        "--",
        "---",
        "n/a",
        "na",
        "nan",
        "nat",
        "none",
        "null",
        "nil",
        "(null)",
        "#n/a",
        "unknown",
        "00.00.0000",
        "0000-00-00",
    }
)

_DAYS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%y",
    "%m-%d-%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%Y%m%d",
)
_TIMES = (
    "",
    " %H:%M:%S",
    " %H:%M",
    " %H:%M:%S.%f",
    "T%H:%M:%S",
    "T%H:%M:%S.%f",
    "T%H:%M:%S%z",
    "T%H:%M:%S.%f%z",
    " %H:%M:%S%z",
    " %H:%M:%S.%f%z",
    " %I:%M %p",
    " %I:%M:%S %p",
)
_SEPARATORS = (
    (".", ""),
    (",", ""),
    (".", ","),
    (",", "."),
    (".", " "),
    (",", " "),
    (".", "'"),
    (".", "’"),
)


def is_nothing(text: str) -> bool:
    """Whether some program writes this text for an empty cell."""
    return text.strip().casefold() in NOTHING


def date_formats(samples: Iterable[str]) -> list[str]:
    """The date formats that read every sample; two if day and month are ambiguous."""
    left: list[str] | None = None
    for text in samples:
        forms = left if left is not None else [day + at for day in _DAYS for at in _TIMES]
        left = [form for form in forms if _reads(text, form)]
        if not left:
            return []
    return left or []


def _reads(text: str, form: str) -> bool:
    with suppress(ValueError):
        parse_date(text, form)
        return True
    return False


@dataclass(frozen=True, slots=True)
class AmountForm:
    """How amounts are written; its fields are named as in a map."""

    decimal: str = "."
    thousands: str = ""
    strip: str = ""

    def reads(self, text: str) -> bool:
        with suppress(ValueError):
            parse_amount(text, self.decimal, self.thousands, self.strip)
            return True
        return False

    def reads_all(self, texts: Iterable[str]) -> bool:
        return all(self.reads(text) for text in texts)


def amount_forms(samples: Sequence[str]) -> list[AmountForm]:
    """The forms that read every sample as an amount, the most likely first.

    More than one if the separator is ambiguous: "1,234" may be 1234 or 1.234. Three digits after a
    single separator are most likely thousands.
    """
    words = {word for text in samples for word in re.findall(r"[^\W\d_]+", text)}
    if not samples or not all(word in CURRENCIES for word in words):
        return []
    signs = {sign for text in samples for sign in re.findall(r"[^0-9.,+'’ -]", text)}
    found = _forms("".join(sorted(signs)), samples)
    return sorted(found, key=lambda form: _odd_fractions(form, samples))


def _forms(strip: str, samples: Sequence[str]) -> list[AmountForm]:
    found: list[AmountForm] = []
    for decimal, thousands in _SEPARATORS:
        form = AmountForm(decimal, thousands, strip)
        plainer = any(f.decimal == decimal and f.thousands == "" for f in found)
        used = not thousands or any(thousands in text for text in samples)
        if used and not plainer and form.reads_all(samples):
            found.append(form)
    return found


def _odd_fractions(form: AmountForm, samples: Sequence[str]) -> int:
    """How many samples have exactly three decimals in this form, which is unlikely for amounts."""
    return sum(
        1 for text in samples if len(text.rpartition(form.decimal)[2]) == 3 and form.decimal in text
    )


def all_whole_floats(samples: Iterable[str]) -> bool:
    """Whether every sample is a whole number that a program wrote as a float: ``2960623488.0``."""
    texts = list(samples)
    return bool(texts) and all(re.fullmatch(r"[0-9]+\.0+", text) for text in texts)
