"""The description for people: everything that is served is in it, and it loads nothing from anywhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from api.reference import page
from tests.integration.api.conftest import Service


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader


async def test_every_operation_is_described_and_nothing_is_loaded(idle_service: Service) -> None:
    answer = await idle_service.nobody.get("/docs")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    found = _read(answer.text)
    described = (await idle_service.nobody.get("/openapi.json")).json()
    for path, item in described["paths"].items():
        for method in item:
            assert f"{method.upper()} {path} " in found.text
    assert {attrs.get("href") for tag, attrs in found.tags if tag == "a"} == {"openapi.json"}
    assert not any("src" in attrs for _, attrs in found.tags)
    assert not {tag for tag, _ in found.tags} & {"script", "link", "img", "iframe"}
    (policy,) = answer.headers.get_list("content-security-policy")
    assert re.fullmatch(r"default-src 'none'; style-src 'sha256-[^']+'; frame-ancestors 'none'", policy)


def test_what_a_description_says_is_text() -> None:
    hostile = "<script>x</script> `<b>`"
    operation = {
        "summary": hostile,
        "description": hostile,
        "parameters": [{"name": hostile, "in": "query", "schema": {}}],
    }
    document = {"info": {"title": hostile, "version": "1"}, "paths": {f"/{hostile}": {"get": operation}}}
    found = _read(page(document))
    assert "script" not in {tag for tag, _ in found.tags}
    assert "<script>x</script>" in found.text
