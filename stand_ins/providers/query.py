"""The query language of SendGrid's Email Logs: conditions joined by AND, without nesting."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_TEXT = r"\"[^\"]*\"|'[^']*'"
_CONDITION = re.compile(
    rf"\s*(?P<field>[a-z_]+)\s*(?P<sign>>=|<=|=|>|<|IN\b)\s*"
    rf"(?:TIMESTAMP\s+(?P<time>{_TEXT})|(?P<text>{_TEXT})"
    rf"|\(\s*(?P<list>(?:{_TEXT})(?:\s*,\s*(?:{_TEXT}))*)\s*\))\s*"
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_SIGNS = {
    "sg_message_id": {"="},
    "subject": {"="},
    "to_email": {"="},
    "reason": {"="},
    "status": {"IN"},
    "categories": {"IN"},
    "sg_message_id_created_at": set(_ORDER),
}


class Malformed(ValueError):
    """A query that SendGrid would refuse."""


@dataclass(frozen=True, slots=True)
class Condition:
    field: str
    sign: str
    values: tuple[str, ...]

    def holds(self, line: Mapping[str, Any]) -> bool:
        """Whether it holds for a message of the logs; texts are compared case-sensitively."""
        if self.sign not in _ORDER:
            return str(line.get(self.field, "")) in self.values
        known = datetime.fromisoformat(line[self.field])
        return _ORDER[self.sign](known, datetime.fromisoformat(self.values[0]))


def conditions(query: str) -> list[Condition]:
    """None for an empty query. Raises Malformed."""
    found: list[Condition] = []
    at = 0
    while at < len(query):
        if found:
            joint = re.compile(r"AND\s").match(query, at)
            if joint is None:
                raise Malformed(f"AND is missing before {query[at : at + 20]!r}")
            at = joint.end()
        match = _CONDITION.match(query, at)
        if match is None:
            raise Malformed(f"cannot read {query[at : at + 20]!r}")
        at = match.end()
        found.append(_condition(match))
    return found


def _condition(match: re.Match[str]) -> Condition:
    field, sign = match["field"], match["sign"]
    if sign not in _SIGNS.get(field, set()):
        raise Malformed(f"{field} {sign} is not allowed")
    if (sign == "IN") != (match["list"] is not None):
        raise Malformed(f"{field} {sign} needs another kind of value")
    if (match["time"] is not None) != (field == "sg_message_id_created_at"):
        raise Malformed(f"{field} needs another kind of value")
    texts = re.findall(_TEXT, match["list"] or match["time"] or match["text"])
    values = tuple(text[1:-1] for text in texts)
    if match["time"] is not None and not _INSTANT.fullmatch(values[0]):
        raise Malformed(f"{values[0]!r} is no instant as 2025-01-01T00:00:00Z")
    return Condition(field, sign, values)
