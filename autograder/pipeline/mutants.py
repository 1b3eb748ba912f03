"""Generated faults: a solution with one operator, constant, argument or condition changed.

Each mutant is one small slip that nobody has thought of beforehand. A check must notice it, or it must be shown that
there is nothing to notice (`tests/equivalents/`).
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

_Change = Callable[[Any], None]

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

_SYMMETRIC = {"add", "multiply", "max", "min", "maximum", "minimum", "equal", "not_equal", "result_type"}
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
        for change in _changes(node):
            tree = ast.parse(solution)
            change(list(ast.walk(tree))[number])
            after = ast.unparse(ast.fix_missing_locations(tree))
            if after not in seen:
                seen.add(after)
                yield Mutant(_told(before, after), after)


def equivalents(folder: Path, assignment: str) -> dict[tuple[str, str], str]:
    """Returns why a generated fault that no check can notice is none: by its symbol and its name."""
    path = folder / f"{assignment}.toml"
    if not path.is_file():
        return {}
    listed = tomllib.loads(path.read_text(encoding="utf-8"))["equivalent"]
    return {(one["symbol"], one["change"]): one["why"] for one in listed}


def _told(before: str, after: str) -> str:
    lines = zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
    return next(f"{old.strip()} -> {new.strip()}" for old, new in lines if old != new)


def _changes(node: ast.AST) -> Iterator[_Change]:
    """Yields what can be changed in a node; each change alters a copy of it in place."""
    match node:
        case ast.BinOp() | ast.AugAssign() | ast.BoolOp():
            yield _with_operator(_OPERATORS[type(node.op)])
            if isinstance(node, ast.BinOp) and not isinstance(node.op, (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr)):
                yield _swap_sides
        case ast.Compare():
            yield _with_comparison(_OPERATORS[type(node.ops[0])])
            if isinstance(node.ops[0], (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
                yield _swap_comparison
        case ast.UnaryOp(op=ast.USub()):
            yield _with_operator(ast.UAdd)
        case ast.UnaryOp(op=ast.Not()):
            yield _negate_operand
        case ast.Constant(value=bool() as flag):
            yield _with_value(not flag)
        case ast.Constant(value=int() as count):
            yield _with_value(count + 1)
            yield _with_value(count - 1)
        case ast.Constant(value=float() as number):
            yield _with_value(number * 2 if number else 1.0)
        case ast.If() | ast.IfExp() | ast.While():
            yield _negate_test
        case ast.Slice():
            yield from (_without(part) for part in ("lower", "upper", "step") if getattr(node, part) is not None)
        case ast.Call():
            yield from _changes_of_call(node)
        case ast.Expr(value=ast.Call()):
            yield _do_nothing
        case _:
            pass


def _changes_of_call(node: ast.Call) -> Iterator[_Change]:
    yield from (_without_keyword(number) for number in range(len(node.keywords)))
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in _SYMMETRIC:
        yield from (_with_arguments_swapped(number) for number in range(len(node.args) - 1))
    if name in _FUNCTIONS:
        yield _with_function(_FUNCTIONS[name])


def _with_operator(kind: type[ast.AST]) -> _Change:
    def change(node: Any) -> None:
        node.op = kind()

    return change


def _with_comparison(kind: type[ast.AST]) -> _Change:
    def change(node: Any) -> None:
        node.ops[0] = kind()

    return change


def _with_value(value: object) -> _Change:
    def change(node: Any) -> None:
        node.value = value

    return change


def _without(part: str) -> _Change:
    def change(node: Any) -> None:
        setattr(node, part, None)

    return change


def _without_keyword(number: int) -> _Change:
    def change(node: Any) -> None:
        del node.keywords[number]

    return change


def _with_arguments_swapped(number: int) -> _Change:
    def change(node: Any) -> None:
        node.args[number : number + 2] = node.args[number : number + 2][::-1]

    return change


def _with_function(name: str) -> _Change:
    def change(node: Any) -> None:
        setattr(node.func, "attr" if isinstance(node.func, ast.Attribute) else "id", name)

    return change


def _swap_sides(node: Any) -> None:
    node.left, node.right = node.right, node.left


def _swap_comparison(node: Any) -> None:
    node.left, node.comparators[0] = node.comparators[0], node.left


def _negate_operand(node: Any) -> None:
    node.operand = ast.UnaryOp(ast.Not(), node.operand)


def _negate_test(node: Any) -> None:
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _do_nothing(node: Any) -> None:
    node.value = ast.Constant(None)
