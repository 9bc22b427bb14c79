"""Media types: what is wanted back and what is sent."""

from __future__ import annotations

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from api.problems import ApiError
from api.routing import JSON, JSON_LD, choose, require_json

BOTH = (JSON, JSON_LD)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/ld+json", JSON_LD),
        ("Application/LD+JSON", JSON_LD),
        ("application/json;q=0.5, application/ld+json", JSON_LD),
        ("application/json, application/ld+json", JSON),
        ("text/html, */*;q=0.1", JSON),
        ("application/json;q=0, */*", JSON_LD),
        ("application/ld+json; profile=x; q=0.9, application/json;q=0.1", JSON_LD),
    ],
)
def test_the_best_liked_type_is_chosen(accept: str, expected: str) -> None:
    assert choose(accept, BOTH) == expected


@pytest.mark.parametrize(
    "accept", ["text/html", "application/json;q=0", "application/xml, text/*", "application/json;q=x"]
)
def test_nothing_acceptable_is_a_406(accept: str) -> None:
    with pytest.raises(ApiError) as caught:
        choose(accept, (JSON,))
    assert caught.value.status_code == 406


@given(st.text(max_size=60))
def test_any_accept_header_gives_an_offered_type_or_a_406(accept: str) -> None:
    try:
        outcome: str | int = choose(accept, BOTH)
    except ApiError as error:
        outcome = error.status_code
    assert outcome in (*BOTH, 406)


def request(**headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": pairs})


@pytest.mark.parametrize(
    "content_type",
    [
        JSON,
        JSON_LD,
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/json ; x=y",
    ],
)
def test_json_is_taken(content_type: str) -> None:
    require_json(request(content_type=content_type))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_type": "text/plain"},
        {"content_type": "application/xml"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "application/json; charset=latin-1"},
        {"content_type": "application/json", "content_encoding": "gzip"},
    ],
)
def test_anything_else_is_a_415(headers: dict[str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        require_json(request(**headers))
    assert caught.value.status_code == 415
