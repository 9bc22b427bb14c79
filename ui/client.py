"""The API as the dashboard sees it: the same endpoints and rights as any other client."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

Json = Any
_SECONDS = 30.0


def api_url() -> str:
    """Where the API is: ``LOTLINE_API_URL``."""
    return os.environ.get("LOTLINE_API_URL", "http://127.0.0.1:8700")


class ApiError(Exception):
    """The API said no, or is not there; the message is for the reader of the page."""


class Api:
    """Asks the API. Raises ApiError with words that help."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        try:
            self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS)
        except httpx.InvalidURL as error:
            raise ApiError(f"LOTLINE_API_URL is no address: {url} ({error}).") from error
        except UnicodeError as error:
            raise ApiError("This is no token: it has characters that no token has.") from error

    def get(self, path: str, **query: object) -> Json:
        """A JSON answer; query parameters that are None are left out."""
        given = {name: _text(value) for name, value in query.items() if value is not None}
        return self._asked("GET", path, params=given)

    def post(self, path: str, body: Json) -> Json:
        """Tell the API something; what it answers."""
        return self._asked("POST", path, json=body)

    def _asked(self, method: str, path: str, **what: Any) -> Json:
        try:
            answer = self._http.request(method, path, **what)
        except httpx.HTTPError as error:
            raise ApiError(f"The API at {self.url} does not answer ({type(error).__name__}). Is it running?") from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise ApiError(f"The API cannot be asked: {error}. Is its address right: {self.url}?") from error
        if answer.status_code >= 400:
            raise ApiError(_problem(answer))
        try:
            return answer.json()
        except ValueError as error:
            raise ApiError(f"What answers at {self.url} is not Lotline's API.") from error

    def everything(self, path: str, limit: int = 2000, **query: object) -> list[Json]:
        """The items of a list, page by page, at most ``limit``."""
        items: list[Json] = []
        token: str | None = None
        while len(items) < limit:
            page = self.get(path, perPage=min(500, limit - len(items)), nextPageToken=token, **query)
            items += page["items"]
            token = page["next"]
            if token is None:
                break
        return items


def path_of(collection: str, identifier: str) -> str:
    """The path of one thing in a collection: identifiers are URIs and must be escaped whole."""
    return f"/{collection}/{quote(identifier, safe='')}"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _problem(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, Mapping):
        return f"The API answered {answer.status_code}."
    said = ": ".join(str(problem[part]) for part in ("title", "detail") if problem.get(part))
    help_ = (
        " Sign in again: the token was revoked, or the instance was started anew."
        if answer.status_code == httpx.codes.UNAUTHORIZED
        else ""
    )
    return f"{said or f'The API answered {answer.status_code}'}.{help_}"
