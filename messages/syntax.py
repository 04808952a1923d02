"""The allow-list of template syntax: which nodes, filters, variables and attributes a template may
use.

Everything else is refused, so a new version of Jinja adds nothing to it. Loops are not nested and
go only over known lists, so the cost of rendering is known in advance: the nodes outside of loops,
and for each item those inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from messages.variables import VARIABLES

MAX_NODES = 2_000
_MAX_CONSTANT = 1_000  # characters
_MAX_NUMBER = 10**15
_LOOP = ("index", "index0", "first", "last", "length")


class Refused(ValueError):
    """What is not allowed, and where: "line 3: unknown variable 'invoice.nubmer'"."""


@dataclass(frozen=True, slots=True)
class Used:
    """``names``: the variables that a template uses. ``nodes``: the number of nodes outside of
    loops; ``loops``: for each loop its list, and the number of nodes inside."""

    names: frozenset[str]
    nodes: int
    loops: tuple[tuple[str, int], ...]

    @property
    def size(self) -> int:
        """The number of all its nodes."""
        return self.nodes + sum(inside for _, inside in self.loops)

    def work(self, known: Mapping[str, Any]) -> int:
        """The most nodes that are evaluated with these lists."""
        return self.nodes + sum(inside * len(known[items]) for items, inside in self.loops)


def used(tree: nodes.Template, filters: frozenset[str]) -> Used:
    """What the template uses. Raises Refused for what is not allowed."""
    checker = _Checker(filters)
    checker.walk(tree, _SCOPE)
    return Used(frozenset(checker.names), checker.nodes, tuple(checker.loops))


def _scope() -> dict[str, Any]:
    """The variables as a tree: a leaf is None, a group a dict, a list a one-element list."""
    tree: dict[str, Any] = {}
    for name in VARIABLES:
        group, _, leaf = name.partition(".")
        if not leaf:
            tree[group] = [{}] if any(v.startswith(f"{group}.") for v in VARIABLES) else None
        else:
            inside = tree.setdefault(group, {})
            (inside[0] if isinstance(inside, list) else inside)[leaf] = None
    return tree


_SCOPE = _scope()
_REFUSED: Mapping[type[nodes.Node], str] = {
    nodes.Call: "a call",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.Macro: "macro",
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.Scope: "autoescape",
    nodes.Mul: "'*'",
    nodes.Pow: "'**'",
    nodes.Mod: "'%'",
    nodes.Add: "'+'",
    nodes.Sub: "'-'",
    nodes.Concat: "'~'",
    nodes.Getitem: "'[ ]'",
    nodes.CondExpr: "an if inside an expression; use {% if %}",
    nodes.Test: "'is'",
}
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Filter,
    nodes.Const,
    nodes.If,
    nodes.For,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Keyword,
)


class _Checker:
    """Walks the tree with the names that are visible at each node."""

    def __init__(self, filters: frozenset[str]) -> None:
        self.filters = filters
        self.names: set[str] = set()
        self.nodes = 0
        self.loops: list[tuple[str, int]] = []
        self._all = 0
        self._in_loop = False

    def walk(self, node: nodes.Node, scope: Mapping[str, Any]) -> Any:
        """Checks the node; returns the shape of its value, see ``_scope``."""
        self.nodes += 1
        self._all += 1
        if self._all > MAX_NODES:
            reason = f"a template has at most {MAX_NODES:,} variables, values and conditions"
            self._refuse(node, f"is too long: {reason}")
        if not isinstance(node, _ALLOWED):
            what = _REFUSED.get(type(node), type(node).__name__.lower())
            self._refuse(node, f"{what} is not allowed in a template")
        match node:
            case nodes.Name():
                return self._name(node, scope)
            case nodes.Getattr():
                return self._attribute(node, scope)
            case nodes.For():
                return self._loop(node, scope)
            case nodes.Const():
                self._constant(node)
            case nodes.Filter():
                self._filter(node)
        for child in node.iter_child_nodes():
            self.walk(child, scope)
        return None

    def _name(self, node: nodes.Name, scope: Mapping[str, Any]) -> Any:
        if node.name not in scope:
            self._refuse(node, f"unknown variable {node.name!r}; known: {_list(scope)}")
        self.names.add(node.name)
        return scope[node.name]

    def _constant(self, node: nodes.Const) -> None:
        if isinstance(node.value, int | float) and not abs(node.value) < _MAX_NUMBER:
            self._refuse(node, "the number is too great")
        if isinstance(node.value, str) and len(node.value) > _MAX_CONSTANT:
            self._refuse(node, f"a value has more than {_MAX_CONSTANT:,} characters")

    def _filter(self, node: nodes.Filter) -> None:
        if node.name not in self.filters:
            self._refuse(node, f"unknown filter {node.name!r}; known: {_list(self.filters)}")
        if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
            self._refuse(node, "a filter block is not allowed in a template")

    def _attribute(self, node: nodes.Getattr, scope: Mapping[str, Any]) -> Any:
        group = self.walk(node.node, scope)
        name = f"{_path(node.node)}.{node.attr}"
        if node.attr.startswith("_"):
            self._refuse(node, f"{name!r}: a name that starts with '_' is not allowed")
        if not isinstance(group, dict):
            self._refuse(node, f"unknown variable {name!r}")
        if node.attr not in group:
            self._refuse(node, f"unknown variable {name!r}; known: {_list(group)}")
        return group[node.attr]

    def _loop(self, node: nodes.For, scope: Mapping[str, Any]) -> None:
        if self._in_loop:
            self._refuse(node, "a loop inside a loop is not allowed in a template")
        if node.recursive:
            self._refuse(node, "a recursive loop is not allowed in a template")
        items = self.walk(node.iter, scope)
        if not isinstance(items, list) or not isinstance(node.target, nodes.Name):
            self._refuse(node, "a loop goes over invoices or totals, with one name for the item")
        assert isinstance(node.iter, nodes.Name)  # only they are lists
        inside = {**scope, node.target.name: items[0]}
        before = self.nodes
        if node.test is not None:
            self.walk(node.test, inside)
        self._in_loop = True
        for child in node.body:
            self.walk(child, {**inside, "loop": dict.fromkeys(_LOOP)})
        self._in_loop = False
        self.loops.append((node.iter.name, self.nodes - before))
        self.nodes = before
        for child in node.else_:
            self.walk(child, scope)

    def _refuse(self, node: nodes.Node, reason: str) -> NoReturn:
        raise Refused(f"line {node.lineno or 1}: {reason}")


class EveryBranch(NodeTransformer):
    """Turns each condition into output followed by both branches, so that all are rendered."""

    def visit_If(self, node: nodes.If) -> list[nodes.Node]:  # noqa: N802
        self.generic_visit(node)
        return [_shown(node.test), *node.body, *node.elif_, *node.else_]

    def visit_For(self, node: nodes.For) -> list[nodes.Node]:  # noqa: N802
        self.generic_visit(node)
        otherwise = list(node.else_)
        if node.test is not None:
            node.body.insert(0, _shown(node.test))
        node.test, node.else_ = None, []
        return [node, *otherwise]


def _shown(test: nodes.Node) -> nodes.Node:
    """The condition as output, so that it is evaluated; ``not`` makes it printable."""
    return nodes.Output([nodes.Not(test, lineno=test.lineno)], lineno=test.lineno)


def _path(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return f"{_path(node.node)}.{node.attr}"
    return node.name if isinstance(node, nodes.Name) else "value"


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
