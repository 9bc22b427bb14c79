"""No word of another organisation reaches Markdown as it is: every call of the pages that renders it is looked at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ui

FILES = sorted(Path(ui.__file__).parent.rglob("*.py"))
RENDERS = {
    "metric": 2, "error": 1, "warning": 1, "info": 1, "success": 1, "caption": 1, "markdown": 1, "write": 9, "title": 1,
    "header": 1, "subheader": 1, "expander": 1, "popover": 1, "toast": 1, "status": 1, "badge": 1, "tabs": 1, "button": 1,
    "download_button": 1, "link_button": 1, "toggle": 1, "checkbox": 1, "radio": 1, "text_input": 1, "selectbox": 1,
    "segmented_control": 1, "pills": 1, "page_link": 0,
}  # fmt: skip
"""Calls whose first arguments are Markdown."""
NAMED = {"label", "body", "value", "help", "delta", "text"}
OPTIONS = {"segmented_control", "pills", "radio"}
"""Calls whose options are Markdown."""
PLAIN = {"plain", "number", "count", "day", "len"}
"""What makes text of anything, and what makes numbers and days of anything."""
RAW = {"html", "dataframe", "data_editor", "table_raw", "iframe", "components"}
"""What must not be called but where it is known to be given nothing of others."""
RAW_ALLOWED = {("app.py", "html"), ("tables.py", "dataframe")}


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str, ast.FunctionDef | None]]:
    """Every call of a method, with the function that it stands in."""
    homes = {
        child: function
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for child in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func.attr, homes.get(node)


def is_safe(node: ast.expr, home: ast.FunctionDef | None) -> bool:
    """Whether nothing of others can be in it that was not made plain."""
    parts = _parts(node)
    if parts is not None:
        return all(is_safe(part, home) for part in parts)
    match node:
        case ast.FormattedValue():
            return node.format_spec is not None or is_safe(node.value, home)  # only numbers and times take a format
        case ast.Name():
            return node.id.isupper() or _assigned_safely(node.id, home)
        case ast.Subscript():
            return _is_table(node.value)
        case ast.Attribute():
            return node.attr in PLAIN or (node.attr == "__getitem__" and _is_table(node.value))
        case ast.Call(func=ast.Attribute(attr="get", value=table), args=[_, other]):
            return _is_table(table) and is_safe(other, home)
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in PLAIN
    return isinstance(node, ast.Constant)


def _parts(node: ast.expr) -> list[ast.expr] | None:
    """What an expression's text is put together of."""
    match node:
        case ast.JoinedStr(values=parts) | ast.BoolOp(values=parts) | ast.List(elts=parts):
            return parts
        case ast.BinOp(left=one, right=other) | ast.IfExp(body=one, orelse=other):
            return [one, other]
        case ast.Lambda(body=body):
            return [body]
    return None


def _is_table(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id.isupper()) or (
        isinstance(node, ast.Attribute) and node.attr.isupper()
    )


def _assigned_safely(name: str, home: ast.FunctionDef | None) -> bool:
    """Every value that a local variable is given."""
    values = [
        node.value
        for node in ast.walk(home or ast.Module([], []))
        if (isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets))
        or (isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id == name)
    ]
    return bool(values) and all(is_safe(value, home) for value in values)


def faults(source: str) -> list[int]:
    """Lines of calls that may be given something of others."""
    found = []
    for call, name, home in calls(ast.parse(source)):
        if name not in RENDERS:
            continue
        named = NAMED if name == "metric" else NAMED - {"value"}
        rendered = [*call.args[: RENDERS[name]], *(word.value for word in call.keywords if word.arg in named)]
        if name in OPTIONS:
            shown = [word.value for word in call.keywords if word.arg == "format_func"]
            rendered += shown or call.args[1:2]
        if not all(is_safe(part, home) for part in rendered):
            found.append(call.lineno)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_others_said_is_made_plain_first(path: Path) -> None:
    assert faults(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_tables_and_html_have_one_door(path: Path) -> None:
    named = {name for _, name, _ in calls(ast.parse(path.read_text(encoding="utf-8"))) if name in RAW}
    assert {(path.name, name) for name in named} <= RAW_ALLOWED
    assert "unsafe_allow_html" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line",
    [
        "cell.metric('Where', name(thing))",
        "st.error(str(error))",
        "st.caption(f'in {name}')",
        "st.page_link(page, label=label)",
        "st.expander(f'**{title}**')",
        "st.warning('a' + reason)",
        "st.warning('a' if ok else reason)",
        "st.segmented_control('Kind', kinds)",
        "st.segmented_control('Kind', kinds, format_func=lambda kind: kind)",
        "title = 'a'; title += name(x); st.subheader(title)",
        "st.tabs(names)",
        "st.button('x', help=str(error))",
    ],
)
def test_the_look_finds_what_it_looks_for(line: str) -> None:
    assert faults(f"def page():\n    {line}\n") == [2]
