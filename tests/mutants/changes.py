"""Changes of a file that are small, mean something else, and are still Python."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


@dataclass(frozen=True)
class Change:
    """A part of a file, and what stands there instead. Lines count from 1, columns are bytes."""

    file: str
    line: int
    start: tuple[int, int]
    end: tuple[int, int]
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.old}  ->  {self.new}"

    def made_in(self, source: str) -> str:
        """The file with the change."""
        lines = source.encode().splitlines(keepends=True)
        before = b"".join(lines[: self.start[0] - 1]) + lines[self.start[0] - 1][: self.start[1]]
        after = lines[self.end[0] - 1][self.end[1] :] + b"".join(lines[self.end[0] :])
        return (before + self.new.encode() + after).decode()


def changes_of(root: Path, file: str) -> Iterator[Change]:
    """All changes of a file. Annotations and what is said in words are left alone."""
    source = (root / file).read_text(encoding="utf-8")
    tree = ast.parse(source)
    for node in _running(tree):
        for changed in _changed(node):
            yield _change(file, source, node, changed)


def _running(tree: ast.AST) -> Iterator[ast.expr | ast.Expr]:
    """Expressions that are computed, and calls that stand alone."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "type_comment"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_type_checking(child):
                if isinstance(child, ast.expr) or (isinstance(child, ast.Expr) and isinstance(child.value, ast.Call)):
                    yield child
                yield from _running(child)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _changed(node: ast.expr | ast.Expr) -> Iterator[str]:
    match node:
        case ast.Expr():
            yield "pass"
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                ops = [*node.ops[:place], _COMPARISONS[type(operator)](), *node.ops[place + 1 :]]
                yield ast.unparse(ast.Compare(node.left, ops, node.comparators))
        case ast.BoolOp():
            yield from _connected(node)
        case ast.UnaryOp(ast.Not()):
            yield ast.unparse(node.operand)
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            yield ast.unparse(ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right))
        case ast.IfExp():
            yield ast.unparse(node.body)
            yield ast.unparse(node.orelse)
        case ast.Constant(bool()):
            yield str(not node.value)
        case ast.Constant(int(number)):
            yield str(number + 1)


def _connected(node: ast.BoolOp) -> Iterator[str]:
    """The other connection, and the same without each part."""
    yield ast.unparse(ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))
    for place in range(len(node.values)):
        left = [*node.values[:place], *node.values[place + 1 :]]
        yield ast.unparse(left[0] if len(left) == 1 else ast.BoolOp(node.op, left))


def _change(file: str, source: str, node: ast.expr | ast.Expr, changed: str) -> Change:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    old = ast.get_source_segment(source, node) or ""
    new = changed if isinstance(node, ast.Expr | ast.Constant) else f"({changed})"
    return Change(
        file,
        node.lineno,
        (node.lineno, node.col_offset),
        (node.end_lineno, node.end_col_offset),
        " ".join(old.split()),
        new,
    )


def named(root: Path, file: str, old: str, new: str) -> Change:
    """A change by its text, which must stand in the file once. Raises ValueError."""
    source = (root / file).read_text(encoding="utf-8")
    if source.count(old) != 1:
        raise ValueError(f"{file}: {old!r} stands there {source.count(old)} times")
    before, _, _ = source.partition(old)
    lines = before.split("\n")
    start = (len(lines), len(lines[-1].encode()))
    span = old.split("\n")
    end = (start[0] + len(span) - 1, len(span[-1].encode()) + (start[1] if len(span) == 1 else 0))
    return Change(file, start[0], start, end, " ".join(old.split()), new)
