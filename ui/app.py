"""The dashboard's pages, for whoever is signed in. `server` is what serves them: ``streamlit run ui/server.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

# `streamlit run` puts this file's folder on the path, not the folder that holds the package
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ui import words
from ui.client import ApiError
from ui.paths import SIGN_IN, SIGN_OUT
from ui.shared import ask, guarded, session
from ui.views import devices, disruptions, forecasts, overview, trace

_LOGO = Path(__file__).with_name("logo.svg")
# names and places are words: cut off after ten letters they say nothing
_METRICS = """<style>
[data-testid="stMetricValue"], [data-testid="stMetricValue"] * {
  font-size: 1.5rem; line-height: 1.3; white-space: normal !important
}
[data-testid="stMetricLabel"] *, [data-testid="stPageLink-NavLink"] * {
  white-space: normal !important; text-overflow: clip; overflow: visible
}
</style>"""


def _sidebar() -> None:
    with st.sidebar:
        try:
            health = ask("/health")
        except ApiError as error:
            st.markdown(":red[●] **no answer**", help=words.plain(str(error)))  # the page says it at length
            return
        ok = health["status"] == "ok"
        blocks = words.count(health["ledger"]["height"], "block")
        st.markdown(f"{':green' if ok else ':orange'}[●] **ledger** · {blocks}")
        lag = health["projector"]["lagBlocks"]
        freshness = f"{words.count(lag, 'block')} behind" if lag else "up to date"
        st.caption(f"read model {freshness} · inbox: {words.count(health['inbox']['jobs'], 'job')}")
        for reason in health["reasons"]:
            st.warning(words.plain(reason))
        for warning in health["warnings"]:
            st.info(words.plain(warning), icon=":material/schedule:")
        if st.button("Refresh", icon=":material/refresh:", width="stretch"):
            st.cache_data.clear()
            st.rerun()


def main() -> None:
    """Lay out the pages."""
    st.set_page_config(
        page_title="Lotline", page_icon=str(_LOGO), layout="wide"
    )  # an icon by name is fetched elsewhere
    pages = {
        "overview": st.Page(
            guarded(overview.page), title="Overview", icon=":material/monitoring:", url_path="overview", default=True
        ),
        "trace": st.Page(guarded(trace.page), title="Trace", icon=":material/account_tree:", url_path="trace"),
        "forecasts": st.Page(
            guarded(forecasts.page), title="Forecasts", icon=":material/show_chart:", url_path="forecasts"
        ),
        "disruptions": st.Page(
            guarded(disruptions.page), title="Disruptions", icon=":material/warning:", url_path="disruptions"
        ),
        "devices": st.Page(
            guarded(devices.page), title="Devices", icon=":material/qr_code_scanner:", url_path="devices"
        ),
    }
    st.html(_METRICS)
    st.session_state["pages"] = pages
    st.logo(str(_LOGO), size="large")
    chosen = st.navigation(list(pages.values()))
    try:
        session()
    except ApiError as error:
        st.error(words.plain(str(error)), icon=":material/lock:")
        st.html(f'<a href="{SIGN_IN}" target="_self">Sign in</a>')
        return
    _sidebar()
    with st.sidebar:
        st.html(f'<a href="{SIGN_OUT}" target="_self" style="font-size:.875rem;color:#5b6470">Sign out</a>')
    chosen.run()


main()
