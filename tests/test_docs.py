"""The pages of docs/ match the code: endpoints, variables, commands, links, queries.

``python tests/test_docs.py`` (with the project on the path) writes the tables that are made from
code: the endpoints of docs/api.md and the variables of docs/plans.md.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.routing import iter_route_contexts
from sqlalchemy import Engine
from typer.main import get_command

import cli
from api.app import create_app
from api.http.rules import RULES_PATH, linked
from messages.check import check_step
from messages.variables import VARIABLES
from plans.form import Form, PlanForm, StepForm
from plans.read import parse_plan
from plans.schema import table
from settings import Settings
from store.engine import connect

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
API, PLANS, OPERATIONS = (ROOT / "docs" / f"{n}.md" for n in ("api", "plans", "operations"))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


# -- tables that are made from code ----------------------------------------------------------------


def _app() -> Any:
    return create_app(Settings(), connect("postgresql+psycopg://nowhere/nothing"))


def _key(operation: dict[str, Any]) -> str:
    """Who may call it: the strictest scope of a key that the OpenAPI document asks for."""
    needs = [need["key"] for need in operation.get("security", ())]
    if len(needs) > 1:
        return "any"
    return needs[0][-1] if needs else "none"


def endpoints() -> str:
    app = _app()
    described = app.openapi()["paths"]
    rows = ["| | | key | |", "| --- | --- | --- | --- |"]
    for route in iter_route_contexts(app.routes):
        if route.path not in described:
            continue
        for method in sorted(route.methods or ()):
            operation = described[route.path][method.lower()]
            text = operation["description"].replace(f"]({RULES_PATH}#", "](rules.md#")
            first = re.split(r"(?<=\.) ", " ".join(text.split()))[0]
            rows.append(f"| {method} | `{route.path}` | {_key(operation)} | {first} |")
    return "\n".join(rows)


def variables() -> str:
    lines = ["| variable | is |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| `{name}` | {text} |" for name, text in VARIABLES.items())])


def plan_fields(form: type[Form]) -> str:
    return linked(table(form)).replace(f"]({RULES_PATH}#", "](rules.md#")


TABLES = {
    "endpoints": (API, endpoints),
    "fields of a plan": (PLANS, lambda: plan_fields(PlanForm)),
    "fields of a step": (PLANS, lambda: plan_fields(StepForm)),
    "variables": (PLANS, variables),
}


def _between(name: str, page: Path) -> re.Match[str]:
    place = re.compile(rf"(<!-- {name}: .*? -->\n)(.*?)(<!-- end of {name} -->)", re.DOTALL)
    found = place.search(page.read_text())
    assert found, f"{page.name} has no place for its table"
    return found


@pytest.mark.parametrize("name", TABLES)
def test_tables_made_from_code_are_up_to_date(name: str) -> None:
    page, made = TABLES[name]
    assert _between(name, page)[2].strip() == made(), "write it: make docs"


# -- pages and code --------------------------------------------------------------------------------


def test_no_page_names_an_endpoint_that_does_not_exist() -> None:
    known = {
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)))
        for path, methods in _app().openapi()["paths"].items()
        for method in methods
    }
    named = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`?\s]*)")
    wrong = [
        f"{page.name}: {method} {path}"
        for page in PAGES
        for method, path in named.findall(page.read_text())
        if not any(m == method and form.fullmatch(path) for m, form in known)
    ]
    for method, path in _requests(ROOT / "README.md"):
        if not any(m == method and form.fullmatch(path) for m, form in known):
            wrong.append(f"README.md: curl {method} {path}")
    assert wrong == []


def _requests(page: Path) -> Iterator[tuple[str, str]]:
    """The requests to the API that the page makes with curl."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            found = re.search(r'curl (?:-s )?(?:-X (\w+) )?"?\$API(/[^\s"?]*)', line)
            if found:
                yield found[1] or "GET", f"/v1{found[2]}"


def test_the_readmes_requests_are_found_by_this_check() -> None:
    assert ("PUT", "/v1/customers/DEMO") in set(_requests(ROOT / "README.md"))


def test_every_link_has_a_target() -> None:
    wrong = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            there = (page.parent / path).resolve() if path else page
            if not there.exists() or (anchor and anchor not in _anchors(there)):
                wrong.append(f"{page.relative_to(ROOT)}: {target}")
    assert wrong == []


def _anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_file_named_under_where_to_find_what_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    table = text.partition("## Where to find what")[2].partition("\n## ")[0]
    names = re.findall(r"`([\w./-]+/|[\w./-]+\.\w+)`", table)
    assert len(names) > 40
    assert [name for name in names if not (ROOT / name).exists()] == []


def _commands() -> Iterator[tuple[Path, list[str]]]:
    """Each use of the command ``dunning`` in shell blocks or quotes: its page and its arguments."""
    for page in PAGES:
        text = page.read_text()
        lines = "".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
        uses = [line for line in lines if line.startswith("dunning ")]
        uses += re.findall(r"`(dunning [a-z][^`\n]*)`", text)
        for use in uses:
            yield page, shlex.split(use, comments=True)[1:]


def test_every_command_and_option_that_a_page_names_exists() -> None:
    wrong = []
    for page, words in _commands():
        command: Any = get_command(cli.app)
        rest = list(words)
        while rest and hasattr(command, "commands"):
            name = rest.pop(0)
            if name not in command.commands:
                wrong.append(f"{page.name}: dunning {' '.join(words)}")
                break
            command = command.commands[name]
        else:
            options = {option for param in command.params for option in param.opts}
            wrong += [
                f"{page.name}: {word}"
                for word in rest
                if word.startswith("--") and word not in options
            ]
    assert wrong == []
    assert len({words[0] for _, words in _commands()}) >= 5


def test_every_option_of_a_rehearsal_is_documented() -> None:
    page = (ROOT / "docs" / "rehearsals.md").read_text()
    command: Any = get_command(cli.app)
    options = [param.opts[0] for param in command.commands["rehearse"].params]
    assert [o for o in options if o.startswith("--") and f"| `{o}" not in page] == []


def test_every_make_target_that_a_page_names_exists() -> None:
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(), re.MULTILINE)
    }
    assert named - made == set()


def test_every_setting_that_a_page_names_exists() -> None:
    known = {f"DUNNING_{name.upper()}" for name in Settings.model_fields} | {"DUNNING_SECRETS_DIR"}
    named = {n for page in PAGES for n in re.findall(r"DUNNING_[A-Z_]+", page.read_text())}
    assert named - known == set()


def test_the_example_of_a_plan_is_valid() -> None:
    [example] = blocks(PLANS, "toml")
    for step in parse_plan(tomllib.loads(example)).steps:
        check_step(step)


@pytest.mark.services
def test_the_queries_of_operations_run(engine: Engine) -> None:
    queries = blocks(OPERATIONS, "sql")
    assert len(queries) > 5
    with engine.connect() as connection:
        for query in queries:
            for statement in filter(str.strip, query.split(";")):
                connection.execute(sa.text(statement))
        connection.rollback()


# -- style -----------------------------------------------------------------------------------------


def test_no_page_names_a_path_on_a_personal_machine() -> None:
    """Such as a home folder."""
    found = [
        f"{page.name}: {path}"
        for page in PAGES
        for path in re.findall(r"(?:^|[\s`(])(/(?:home|root|tmp|work|Users)/\S*)", page.read_text())
    ]
    assert found == []


def test_a_decision_fits_on_a_page_and_is_in_the_index_with_its_status() -> None:
    parts = ("**Context.**", "**Decision.**", "**Alternatives considered.**", "**Consequences.**")
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    for page in (ROOT / "docs" / "decisions").glob("0*.md"):
        text = page.read_text()
        status = re.search(r"^Status: ((?:accepted|superseded).*)$", text, re.MULTILINE)
        assert status, f"{page.name} has no status"
        assert len(text.splitlines()) <= 40, page.name
        assert [part for part in parts if part not in text] == [], page.name
        assert re.search(rf"\]\({page.name}\) .* {re.escape(status[1])} \|$", index, re.MULTILINE)


def test_every_path_that_a_page_names_exists() -> None:
    tops = "|".join(path.name for path in ROOT.glob("[a-z]*/"))
    path_of_ours = re.compile(rf"`((?:{tops})/[\w./-]*)`")
    assert [
        f"{page.relative_to(ROOT)}: {name}"
        for page in PAGES
        if page.name != "CHANGELOG.md"  # also names files that no longer exist
        for name in path_of_ours.findall(page.read_text())
        if not (ROOT / name).exists()
    ] == []


def write() -> None:
    """Write the tables that are made from code into their pages."""
    for name, (page, made) in TABLES.items():
        found = _between(name, page)
        text = page.read_text()
        page.write_text(
            f"{text[: found.start()]}{found[1]}{made()}\n{found[3]}{text[found.end() :]}"
        )


if __name__ == "__main__":
    write()
