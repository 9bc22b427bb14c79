"""Scanners that sign: who has them, what did not arrive, and, for admins, enrolling and revoking them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import segno
import streamlit as st

from ui import words
from ui.client import Json, api_url
from ui.shared import ask, ask_all, name, readable, tell
from ui.tables import table

_MINUTES = 10
_COLUMNS = {
    "name": "name",
    "status": "status",
    "place": "place",
    "signed": st.column_config.NumberColumn("signed"),
    "missing": st.column_config.NumberColumn("did not arrive"),
    "last": "last arrived",
    "id": "id",
}


def page() -> None:
    """Devices, what is odd about them, and what an admin may do."""
    st.title("Devices")
    devices = ask_all("/devices")
    odd = [one for one in ask_all("/exceptions", status="open") if one["kind"].startswith("device_")]
    for exception in odd:
        st.warning(words.plain(readable(exception["detail"])), icon=":material/warning:")
    if devices:
        table(pd.DataFrame([_row(one) for one in devices]), column_config=_COLUMNS)
    else:
        st.info("No scanner is enrolled yet.", icon=":material/qr_code_scanner:")
    _enrol()
    if devices:
        _put_right(devices)


def _row(device: Json) -> dict[str, Any]:
    return {
        "name": device["name"],
        "status": device["status"],
        "place": name(device["place"]) if device["place"] else "",
        "signed": device["counter"],
        "missing": device["missing"],
        "last": (device["receivedAt"] or "")[:16].replace("T", " "),
        "id": device["id"],
    }


def _enrol() -> None:
    places = [one for one in ask("/places", registered=True, perPage=500)["items"] if one["party"]]
    with st.expander("Enrol a device (admins)"), st.form("enrol"):
        place = st.selectbox("Place", places, format_func=lambda one: f"{one['name'] or ''} {words.short(one['id'])}")
        label = st.text_input("Name", "Scanner", max_chars=100)
        address = st.text_input("Address of the API, as the device reaches it", value=api_url())
        if st.form_submit_button("Show a code") and place is not None:
            body = {"party": place["party"], "place": place["id"], "name": label, "minutes": _MINUTES}
            made = tell("/enrolments", body)
            url = address.rstrip("/") + made["url"]
            st.image(segno.make(url, error="m", micro=False).svg_inline(scale=6, border=4, light="white"), width=300)
            st.caption(f"Good once, for {_MINUTES} minutes. Open it with the device's camera.")
            st.code(url)


def _put_right(devices: list[Json]) -> None:
    with st.expander("Revoke, or explain what is odd (admins)"), st.form("device"):
        device = st.selectbox("Device", devices, format_func=lambda one: f"{one['name'] or ''} {one['id']}")
        why = st.text_input("Why", max_chars=200)
        since = st.text_input("Lost since (UTC), what it signed before is kept", placeholder="2026-05-04T09:12:33Z")
        revoke, explain = st.form_submit_button("Revoke"), st.form_submit_button("Explain")
        if device is None or not (revoke or explain):
            return
        if revoke:
            tell(
                "/devices/revoke",
                {"id": device["id"], **({"since": since} if since else {}), **({"why": why} if why else {})},
            )
        else:
            tell("/devices/explain", {"id": device["id"], "why": why})
        st.success("Done.", icon=":material/check_circle:")
