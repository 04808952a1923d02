"""docs/rules.md has every rule, and every rule that is cited by number exists."""

from __future__ import annotations

import re
from pathlib import Path

from api.http.rules import LAST_RULE, cited, linked

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "rules.md"
#: The rules that are built; the others are marked as not built yet.
BUILT = set(range(1, 45))
_NOT_BUILT = "*Not built yet.*"
_NUMBERS = re.compile(r"\b[Rr]ules? (\d+(?:(?:, and |, | and | or | to |–)\d+)*)")
_CITING = {".py", ".md", ".toml", ".sql", ".html", ".j2", ".yml"}
_NOT_OURS = {".venv", ".git", ".dunning", "build", "histories"}


def rules_named(text: str, *, ranges: bool = True) -> set[int]:
    """The numbers after the word rule, also over a line break: "rules 6, 27", "rules 1 to 3"."""
    found: set[int] = set()
    for numbers in _NUMBERS.findall(re.sub(r"\s*\n\s*(?:#:? )?", " ", text)):
        last = 0
        for joined, number in re.findall(r"(\D*)(\d+)", numbers):
            if joined in (" to ", "–") and ranges:
                found.update(range(last, int(number)))
            last = int(number)
            found.add(last)
    return found


def rules_of_page() -> dict[int, str]:
    """The text of each rule by its number, in the order of the page."""
    parts = re.split(r"^### Rule (\d+)\n", PAGE.read_text(), flags=re.MULTILINE)
    texts = [text.partition("\n## ")[0] for text in parts[2::2]]
    return dict(zip(map(int, parts[1::2]), texts, strict=True))


def test_the_page_of_rules_has_every_rule_once_and_in_order() -> None:
    numbers = re.findall(r"^### Rule (\d+)$", PAGE.read_text(), re.MULTILINE)
    assert [int(n) for n in numbers] == list(range(1, LAST_RULE + 1))


def test_a_rule_is_marked_as_not_built_or_names_the_files_that_decide_it() -> None:
    wrong = []
    for number, text in rules_of_page().items():
        [line] = re.findall(r"^\*Decided in\* .*\.$", text, re.MULTILINE) or [""]
        paths = re.findall(r"`([\w/]+\.py)`", line)
        if (number in BUILT) is (_NOT_BUILT in text) or (number in BUILT) is not bool(paths):
            wrong.append(f"rule {number}: name its file, or say that it is not built")
        for path in paths:
            if not (ROOT / path).is_file():
                wrong.append(f"rule {number}: there is no {path}")
            elif number not in rules_named((ROOT / path).read_text()):
                wrong.append(f"rule {number}: {path} does not mention it")
    assert wrong == []


def test_every_cited_rule_exists() -> None:
    texts = {
        path.relative_to(ROOT): path.read_text()
        for path in ROOT.rglob("*")
        if path.suffix in _CITING
        and not _NOT_OURS & set(path.relative_to(ROOT).parts)
        and path.is_file()
    }
    rules = set(rules_of_page())
    wrong = {str(path): rules_named(text) - rules for path, text in texts.items()}
    assert {path: numbers for path, numbers in wrong.items() if numbers} == {}
    assert len([text for text in texts.values() if rules_named(text)]) > 80


def test_code_cites_only_rules_that_are_built() -> None:
    """A rule that gets built loses its mark on the page, and joins BUILT here."""
    cited_by_code = {
        str(path.relative_to(ROOT)): rules_named(path.read_text()) - BUILT
        for path in (ROOT / "dunning").rglob("*.py")
    }
    assert {path: numbers for path, numbers in cited_by_code.items() if numbers} == {}


def test_the_page_of_rules_links_only_to_itself() -> None:
    """The API serves it without the other pages."""
    targets = re.findall(r"\]\(([^)]*)\)", PAGE.read_text())
    assert [target for target in targets if not target.startswith("#")] == []


def test_every_rule_is_named_by_a_test() -> None:
    """In its text or its name; a range in a heading is not enough."""
    named: set[int] = set()
    for path in (ROOT / "tests").rglob("*.py"):
        text = path.read_text()
        names = re.findall(r"def test_(\w+)", text)
        in_names = re.findall(r"(?:rules?_|_and_)(\d+)", " ".join(names))
        named |= rules_named(text, ranges=False) | {int(n) for n in in_names}
    assert sorted(BUILT - named) == [], "no test names these rules"


def test_a_text_gives_links_to_the_rules_that_it_cites() -> None:
    found = cited("INV-1 is disputed (rule 41); see rules 26 and 42, and rule 41 again")
    assert [(one.rule, one.link) for one in found] == [
        (41, "/docs/rules#rule-41"),
        (26, "/docs/rules#rule-26"),
        (42, "/docs/rules#rule-42"),
    ]
    assert cited(f"overrule 3, a rule of 4 eyes, rule {LAST_RULE + 1}") == []
    assert linked("Nothing goes out (rules 38 and 39).") == (
        "Nothing goes out ([rules 38](/docs/rules#rule-38) and [39](/docs/rules#rule-39))."
    )
