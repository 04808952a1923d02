"""The rules as a page of the running API."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from fastapi.testclient import TestClient

from api.http.rules import LAST_RULE
from api.outside.rules_page import SOURCE, to_html

ROOT = Path(__file__).parents[3]


def test_the_page_needs_no_key_and_has_an_anchor_for_each_rule(client: TestClient) -> None:
    answer = client.get("/docs/rules")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    anchors = re.findall(r'<h3 id="rule-(\d+)">', answer.text)
    assert [int(n) for n in anchors] == list(range(1, LAST_RULE + 1))
    targets = set(re.findall(r'href="#([^"]+)"', answer.text))
    assert targets <= set(re.findall(r' id="([^"]+)"', answer.text))


def test_the_page_loads_nothing_and_its_policy_allows_only_its_style(client: TestClient) -> None:
    answer = client.get("/docs/rules")
    assert re.findall(r'(?:src|href)="(?!#)[^"]*"', answer.text) == []
    assert "<script" not in answer.text
    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert "url(" not in style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in policy


def test_html_in_the_rules_is_escaped() -> None:
    assert "<script>" not in to_html("A <script>alert(1)</script> in the text")


def test_the_image_gets_the_source_of_the_page() -> None:
    lines = (ROOT / ".dockerignore").read_text().split()
    assert f"!{SOURCE.relative_to(ROOT)}" in lines
