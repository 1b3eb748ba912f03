"""Generated faults: a solution with one operator, constant, argument or condition changed.

Each mutant is one small slip that nobody has thought of beforehand. A check must notice it, or it must be shown that
there is nothing to notice (`tests/equivalents/`).
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

_Fields = dict[str, Any]
"""Fields of a node of the syntax tree, with what takes their place."""

_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}

_PAIRS = (
    ("add", "subtract"),
    ("multiply", "divide"),
    ("sum", "mean"),
    ("max", "min"),
    ("maximum", "minimum"),
    ("any", "all"),
    ("sin", "cos"),
    ("zeros", "ones"),
    ("tril", "triu"),
    ("equal", "not_equal"),
    ("logical_and", "logical_or"),
    ("sqrt", "square"),
    ("argmax", "argmin"),
)
_FUNCTIONS = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
"""Functions of the same arguments, each with the one it is taken for."""

_SYMMETRIC = {
    *("add", "multiply", "max", "min", "maximum", "minimum", "equal", "not_equal", "logical_and", "logical_or"),
    "result_type",
}
"""Functions whose arguments have no order."""


@dataclass(frozen=True)
class Mutant:
    """A faulty solution.

    Attributes:
        change: the lines before and after, as `old -> new`.
        source: the cell.
    """

    change: str
    source: str


def mutants(solution: str) -> Iterator[Mutant]:
    """Yields every mutant of a cell's code, each once."""
    before = ast.unparse(ast.parse(solution))
    seen = {before}
    for number, node in enumerate(ast.walk(ast.parse(solution))):
        for fields in _changes(node):
            tree = ast.parse(solution)
            changed = list(ast.walk(tree))[number]
            for name, value in fields.items():
                setattr(changed, name, value)
            after = ast.unparse(ast.fix_missing_locations(tree))
            if after not in seen:
                seen.add(after)
                yield Mutant(_told(before, after), after)


def equivalents(folder: Path, assignment: str) -> dict[str, dict[str, str]]:
    """Returns why a generated fault that no check can notice is none: by its symbol, then by its name."""
    path = folder / f"{assignment}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _told(before: str, after: str) -> str:
    lines = zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
    told = next(f"{old.strip()} -> {new.strip()}" for old, new in lines if old != new)
    return told.replace(": :", "::")  # as some versions of Python write a slice


def _changes(node: ast.AST) -> Iterator[_Fields]:
    """Yields what can be changed in a node."""
    match node:
        case ast.BinOp() | ast.AugAssign() | ast.BoolOp():
            if (other := _OPERATORS.get(type(node.op))) is not None:
                yield {"op": other()}
            if isinstance(node, ast.BinOp) and not isinstance(node.op, (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr)):
                yield {"left": node.right, "right": node.left}
        case ast.Compare():
            yield from _changes_of_comparison(node)
        case ast.UnaryOp(op=ast.USub()):
            yield {"op": ast.UAdd()}
        case ast.UnaryOp(op=ast.Not()):
            yield {"operand": ast.UnaryOp(ast.Not(), node.operand)}
        case ast.Constant(value=bool() as flag):
            yield {"value": not flag}
        case ast.Constant(value=int() as count):
            yield {"value": count + 1}
            yield {"value": count - 1}
        case ast.Constant(value=float() as number):
            yield {"value": number * 2 if number else 1.0}
        case ast.If() | ast.IfExp() | ast.While():
            yield {"test": ast.UnaryOp(ast.Not(), node.test)}
        case ast.Slice():
            yield from ({part: None} for part in ("lower", "upper", "step") if getattr(node, part) is not None)
        case ast.Call():
            yield from _changes_of_call(node)
        case ast.Expr(value=ast.Call()):
            yield {"value": ast.Constant(None)}
        case _:
            pass


def _changes_of_comparison(node: ast.Compare) -> Iterator[_Fields]:
    """Yields another operator, and the operands around one exchanged, at every place of a chain `a < b < c`."""
    operands = [node.left, *node.comparators]
    for i, op in enumerate(node.ops):
        yield {"ops": [*node.ops[:i], _OPERATORS[type(op)](), *node.ops[i + 1 :]]}
        if isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
            left, *right = [*operands[:i], operands[i + 1], operands[i], *operands[i + 2 :]]
            yield {"left": left, "comparators": right}


def _changes_of_call(node: ast.Call) -> Iterator[_Fields]:
    function, args = node.func, node.args
    for keyword in node.keywords:
        yield {"keywords": [other for other in node.keywords if other is not keyword]}
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name not in _SYMMETRIC:
        for i in range(len(args) - 1):
            yield {"args": [*args[:i], args[i + 1], args[i], *args[i + 2 :]]}
    if other := _FUNCTIONS.get(name):
        named = ast.Attribute(function.value, other) if isinstance(function, ast.Attribute) else ast.Name(other)
        yield {"func": named}
