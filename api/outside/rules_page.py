"""The rules as a page of the API: docs/rules.md in HTML. Needs no key and loads nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt

from api.http.rules import RULES_PATH

router = APIRouter(include_in_schema=False)

SOURCE = Path(__file__).parents[2] / "docs" / "rules.md"
_STYLE = """\
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 2rem 1rem; }
h1, h2, h3 { line-height: 1.3; }
h2 { margin-top: 3rem; border-bottom: 1px solid #8886; }
h3 { margin: 2rem 0 0; }
:target { background: #fd06; }
table { border-collapse: collapse; }
th, td { border: 1px solid #8886; padding: .3rem .6rem; text-align: left; vertical-align: top; }
code { font-size: .9em; }
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}


@router.get(RULES_PATH)
def rules_page() -> HTMLResponse:
    """Every rule with an anchor: ``/docs/rules#rule-27``."""
    return HTMLResponse(_page(), headers=_HEADERS)


@lru_cache(maxsize=1)
def _page() -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>The rules of dunning</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{to_html(SOURCE.read_text(encoding='utf-8'))}</body>\n</html>\n"
    )


def to_html(markdown: str) -> str:
    """HTML whose headings have the anchors that GitHub gives them: "Rule 27" is ``#rule-27``."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    for heading, words in pairwise(tokens):
        if heading.type == "heading_open":
            kept = re.sub(r"[^\w\- ]", "", words.content.lower())
            heading.attrSet("id", kept.replace(" ", "-"))
    html: str = parser.renderer.render(tokens, parser.options, {})
    return html
