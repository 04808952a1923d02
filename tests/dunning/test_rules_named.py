"""Every rule that ``decide`` implements has a test here whose name cites it."""

from __future__ import annotations

import re
from pathlib import Path

#: Who may see, edit or complete an action, and who sends it: not decided by ``decide``.
ELSEWHERE = {28, 29, 31, 33}


def test_every_rule_is_named_by_a_test() -> None:
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    names = re.findall(r"def test_(rule_\d+\w*)", text)
    named = {int(n) for name in names for n in re.findall(r"(?:rule_|_and_)(\d+)", name)}
    assert set(range(1, 45)) - named - ELSEWHERE == set()
