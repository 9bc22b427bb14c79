"""``/docs``: the OpenAPI document as a page for people. It is made here, whole, and loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, Response

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1e293b;background:#fff}
h1,h2{color:#0f766e}h2{margin-top:2.5rem;border-bottom:1px solid #cbd5e1}
details{border:1px solid #cbd5e1;border-radius:6px;margin:.5rem 0;padding:.4rem .8rem}
summary{cursor:pointer}summary b{display:inline-block;min-width:4.5rem;color:#0f766e}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;border-top:1px solid #e2e8f0;padding:.25rem .6rem .25rem 0}
pre{background:#f1f5f9;padding:.6rem;overflow-x:auto;border-radius:6px}code{background:#f1f5f9}
@media(prefers-color-scheme:dark){body{color:#e2e8f0;background:#0f172a}pre,code{background:#1e293b}}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {"Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"}
_CODE = re.compile(r"`([^`]+)`")
_METHODS = ("get", "post", "put", "patch", "delete")


def install(app: FastAPI) -> None:
    """Give ``app`` the page."""

    async def docs(request: Request) -> Response:
        return HTMLResponse(page(app.openapi()), headers=_HEADERS)

    app.add_route("/docs", docs, include_in_schema=False)


def page(document: dict[str, Any]) -> str:
    """The whole page, for an OpenAPI document."""
    info = document["info"]
    by_tag = defaultdict(list)
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                by_tag[(item[method].get("tags") or ["other"])[0]].append((method, path, item[method]))
    named = {tag["name"]: tag.get("description", "") for tag in document.get("tags", ())}
    body = [
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        _words(info.get("description", "")),
        '<p>The same for machines: <a href="openapi.json">openapi.json</a>.</p>',
    ]
    for tag in [*(name for name in named if name in by_tag), *sorted(set(by_tag) - set(named))]:
        body += [f"<h2>{escape(tag)}</h2>", _words(named.get(tag, ""))]
        body += [_operation(document, *found) for found in by_tag[tag]]
    body.append("<h2>What answers and bodies hold</h2>")
    schemas = document.get("components", {}).get("schemas", {})
    body += [_schema(name, schema) for name, schema in sorted(schemas.items())]
    title = escape(info["title"])
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return (
        f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{"".join(body)}</body></html>'
    )


def _operation(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        (f"{part['name']}{' *' if part.get('required') else ''}", part["in"], _kind(part.get("schema", {})),
         part.get("description", ""))
        for part in operation.get("parameters", ())
    ]  # fmt: skip
    parts = [
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation.get('summary', ''))}"
        "</summary>",
        _words(operation.get("description", "")),
        _table(("parameter", "in", "kind", "meaning"), rows),
        *_body(operation.get("requestBody")),
        _table(("status", "meaning", "body"), list(_answers(operation))),
        "</details>",
    ]
    return "".join(parts)


def _body(body: dict[str, Any] | None) -> Iterator[str]:
    if body is None:
        return
    yield f"<p>Body: {_inline(body.get('description', ''))} {escape(', '.join(body['content']))}</p>"
    (first, *_) = body["content"].values()
    yield f"<p>{escape(_kind(first.get('schema', {})))}</p>"
    if "example" in first:
        yield f"<pre>{escape(json.dumps(first['example'], indent=2, ensure_ascii=False))}</pre>"


def _answers(operation: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for status, answer in operation.get("responses", {}).items():
        kinds = {_kind(content.get("schema", {})) for content in answer.get("content", {}).values()}
        yield str(status), answer.get("description", ""), ", ".join(sorted(kinds))


def _schema(name: str, schema: dict[str, Any]) -> str:
    needed = schema.get("required", ())
    rows = [
        (f"{field}{' *' if field in needed else ''}", _kind(part), part.get("description", ""))
        for field, part in schema.get("properties", {}).items()
    ]
    table = _table(("member", "kind", "meaning"), rows)
    return f"<details><summary><code>{escape(name)}</code></summary>{_words(schema.get('description', ''))}{table}</details>"


def _kind(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return " or ".join(dict.fromkeys(_kind(part) for part in schema[word]))
    if "enum" in schema:
        return "|".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    bounds = [f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema]
    return " ".join([str(schema.get("format", schema.get("type", "any"))), *bounds])


def _table(heads: tuple[str, ...], rows: list[Any]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    lines = "".join("<tr>" + "".join(f"<td>{_inline(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{lines}</table>"


def _words(text: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in text.strip().split("\n\n") if part)


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text))
