"""What every page uses: the API behind a short cache, names of places and parties, and a way to fail kindly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import pandas as pd
import streamlit as st

from ui.client import Api, ApiError, Json, api_url
from ui.sessions import COOKIE, SESSIONS, Session
from ui.tables import table
from ui.words import LINK, plain, short

ROW = 84
"""Height of a table's row in which text wraps, in pixels: four lines. Streamlit wraps from 65 on."""
_ROWS_IN_SIGHT = 8
SESSION = "session"
"""Where a test says who looks at a page, which no browser can."""
_FRESH_SECONDS = 30
_NAMES_SECONDS = 600


@st.cache_resource(max_entries=200)
def _api(who: str, _token: str) -> Api:
    """One client for each token."""
    return Api(api_url(), _token)


def session() -> Session:
    """Of the browser that looks at this page. Raises ApiError if it is not signed in, or no more."""
    found = st.session_state.get(SESSION) or SESSIONS.find(st.context.cookies.get(COOKIE))
    if not isinstance(found, Session):
        raise ApiError("Your session has ended. Load the page anew to sign in.")
    return found


def ask(path: str, **query: object) -> Json:
    """A GET, kept for half a minute, for those with the same token."""
    mine = session()
    return _ask(mine.who, mine.token, path, **query)


def ask_all(path: str, limit: int = 2000, **query: object) -> list[Json]:
    """All pages of a list, kept for half a minute, for those with the same token."""
    mine = session()
    return _ask_all(mine.who, mine.token, path, limit, **query)


def tell(path: str, body: Json) -> Json:
    """A POST with the rights of who looks; what was asked before is asked anew."""
    mine = session()
    answer = _api(mine.who, mine.token).post(path, body)
    st.cache_data.clear()
    return answer


def names() -> dict[str, str]:
    """Names of registered places and parties by identifier."""
    mine = session()
    return _names(mine.who, mine.token)


@st.cache_data(ttl=_FRESH_SECONDS, show_spinner=False)
def _ask(who: str, _token: str, path: str, **query: object) -> Json:
    return _api(who, _token).get(path, **query)


@st.cache_data(ttl=_FRESH_SECONDS, show_spinner=False)
def _ask_all(who: str, _token: str, path: str, limit: int, **query: object) -> list[Json]:
    return _api(who, _token).everything(path, limit, **query)


@st.cache_data(ttl=_NAMES_SECONDS, show_spinner=False)
def _names(who: str, _token: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in ("/places", "/parties"):
        found |= {entry["id"]: entry["name"] for entry in _api(who, _token).everything(path) if entry.get("name")}
    return found


def name(identifier: str | None) -> str:
    """A place's or party's name, or its identifier in short."""
    return names().get(identifier or "") or short(identifier)


def readable(text: str | None) -> str:
    """A sentence in which places and parties have their names, and other identifiers are short."""
    return LINK.sub(lambda link: name(link.group()), text or "")


def guarded(page: Callable[[], None]) -> Callable[[], None]:
    """A page that tells of a failure instead of showing a traceback."""

    def run() -> None:
        try:
            page()
        except ApiError as error:
            st.error(plain(str(error)), icon=":material/cloud_off:")
            st.button("Try again", on_click=st.cache_data.clear)

    run.__name__ = page.__name__
    return run


def party_at(handoff: Json, side: str) -> str:
    """Who sends (``from``) or receives (``to``), and at which place."""
    who = handoff[f"{side}PartyName"] or short(handoff[f"{side}Party"])
    where = handoff[f"{side}PlaceName"] or short(handoff[f"{side}Place"])
    return " · ".join(part for part in (who, where) if part != "–") or "–"


def wide(rows: list[Json], columns: Mapping[str, Any]) -> None:
    """A table whose sentences can be read whole."""
    table(pd.DataFrame(rows), height=height_of(rows), row_height=ROW, column_config=columns)


def height_of(rows: list[Json]) -> int | Literal["content"]:
    """Of a table of high rows: as many as there are, or those in sight, and the rest by scrolling."""
    return "content" if len(rows) <= _ROWS_IN_SIGHT else _ROWS_IN_SIGHT * ROW + ROW // 2


def provenance(block: int | None, recorded: str | None) -> None:
    """Where what is shown comes from."""
    st.caption(
        f"Read from the ledger up to block **{'–' if block is None else plain(str(block))}**, recorded {plain(recorded or '–')}."
    )


def open_forecast(series: str, label: str, **options: Any) -> None:
    """A link to the forecast of a series."""
    st.page_link(st.session_state["pages"]["forecasts"], label=plain(label), query_params={"series": series}, **options)


def open_trace(identifier: str, label: str, **options: Any) -> None:
    """A link to the trace of a thing."""
    st.page_link(st.session_state["pages"]["trace"], label=plain(label), query_params={"id": identifier}, **options)
