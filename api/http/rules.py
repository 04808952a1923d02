"""Links to the rules: an answer that cites a rule by its number says where its text is.

The page is docs/rules.md of the project, served by ``api.outside.rules_page``.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, Field

RULES_PATH = "/docs/rules"
#: The last rule of the page; a greater number in a text is no rule.
LAST_RULE = 73
_CITATION = re.compile(r"\brules? \d+(?:(?:, and |, | and | or | to )\d+)*")
_NUMBER = re.compile(r"(?:rules? )?(\d+)")


class RuleLink(BaseModel):
    rule: int
    link: str = Field(
        description="Where the rule is explained, relative to the public address of the API.",
        examples=["/docs/rules#rule-27"],
    )


def link_to(rule: int) -> str:
    return f"{RULES_PATH}#rule-{rule}"


def cited(text: str) -> list[RuleLink]:
    """The rules that a text cites as "rule 27" or "rules 26 and 42", each once, in its order."""
    found = (int(n) for words in _CITATION.findall(text) for n in _NUMBER.findall(words))
    return [RuleLink(rule=n, link=link_to(n)) for n in dict.fromkeys(found) if 1 <= n <= LAST_RULE]


def linked(text: str) -> str:
    """The text in Markdown, each number of a rule a link."""

    def with_links(citation: re.Match[str]) -> str:
        return _NUMBER.sub(lambda n: f"[{n[0]}]({link_to(int(n[1]))})", citation[0])

    return _CITATION.sub(with_links, text)
