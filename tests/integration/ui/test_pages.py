"""Every page against a real API: what it shows is what the API says, and failures are words."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import ui as app_folder
from tests.integration.lotline.run import answer
from tests.integration.ui.conftest import Backend
from ui.client import Api, path_of
from ui.sessions import Session
from ui.shared import SESSION, _api
from ui.views import overview as overview_page
from ui.words import JOINER, moment, short

Open = Callable[..., AppTest]


def script() -> None:
    """The dashboard with one of its pages in front."""
    import streamlit as st

    from ui.shared import guarded
    from ui.views import disruptions, forecasts, overview, trace

    front = st.session_state["front"]
    views = {"overview": overview, "trace": trace, "forecasts": forecasts, "disruptions": disruptions}
    pages = {
        name: st.Page(guarded(view.page), title=name, url_path=name, default=name == front)
        for name, view in views.items()
    }
    st.session_state["pages"] = pages
    st.navigation(list(pages.values())).run()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a page of a backend."""

    def open_page(name: str, url: str, token: str, **query: str) -> AppTest:
        monkeypatch.setenv("LOTLINE_API_URL", url)
        st.cache_data.clear()
        st.cache_resource.clear()
        test = AppTest.from_function(script, default_timeout=60)
        test.session_state["front"] = name
        test.session_state[SESSION] = signed_in(token)
        for key, value in query.items():
            test.query_params[key] = value
        test.run()
        assert not test.exception
        return test

    return open_page


def signed_in(token: str) -> Session:
    return Session(token, math.inf, own=True)


def test_nobody_who_is_not_signed_in_sees_anything(monkeypatch: pytest.MonkeyPatch, backend: Backend) -> None:
    """Also where the door is gone around: the pages themselves look who is there."""
    monkeypatch.setenv("LOTLINE_API_URL", backend.url)
    test = AppTest.from_file(str(Path(app_folder.__file__).with_name("app.py")), default_timeout=60).run()
    assert "Your session has ended" in texts(test)
    assert not test.metric
    assert not test.sidebar.markdown


def figures(test: AppTest) -> dict[str, str]:
    return {seen(metric.label): seen(metric.value) for metric in test.metric}


def seen(text: object) -> str:
    """What a reader of the page sees, but for emphasis."""
    return re.sub(r"\\([^\w\s])", r"\1", str(text)).replace(JOINER, "")


def texts(test: AppTest) -> str:
    parts = [*test.markdown, *test.caption, *test.info, *test.warning, *test.error, *test.success, *test.code]
    return "\n".join(seen(part.value) for part in parts)


def test_overview_says_what_the_api_says(page: Open, backend: Backend) -> None:
    test = page("overview", backend.url, backend.token)
    api = Api(backend.url, backend.token)
    last = api.get("/overview")["newestEvent"][:10]
    overview = api.get("/overview", days=90, top=15, asOf=last)  # the fixture's record ended long ago
    assert f"The newest event is of {last}." in texts(test)
    shown = figures(test)
    assert shown["In transit"] == str(overview["inTransit"])
    assert shown["Past their promise"] == f"{overview['late']} of {overview['inTransit']}"
    assert shown["Events on the ledger"] == f"{overview['events']:,}"
    assert [heading.value for heading in test.subheader] == [
        "What moves", "What is late", "What may run out", "What does not add up",
    ]  # fmt: skip
    assert f"up to block **{overview['block']}**" in texts(test)


def test_another_period(page: Open, backend: Backend) -> None:
    test = page("overview", backend.url, backend.token)
    test.selectbox[0].select("30 days").run()
    assert not test.exception


def test_what_is_late_is_told_by_goods_and_parties_the_latest_promise_first(
    page: Open, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview_page, "_SILENT_DAYS", 1_000_000)  # as of now, when all that is open is late
    late = Api(backend.url, backend.token).everything("/handoffs", status="released", late=True)
    assert len({handoff["promisedAt"] for handoff in late}) > 1
    shown = next(
        frame.value for frame in page("overview", backend.url, backend.token).dataframe if "goods" in frame.value
    )
    latest = sorted((handoff["promisedAt"] for handoff in late), reverse=True)[:15]
    assert [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in shown["promised"]] == latest
    by_item = {short(handoff["item"]): handoff for handoff in late}
    for row in shown.itertuples():
        handoff = by_item[row.thing]
        assert row[3] == f"{handoff['fromPartyName']} · {handoff['fromPlaceName']}"
        assert row.to == f"{handoff['toPartyName']} · {handoff['toPlaceName']}"
        assert row.goods[0].isdigit()


def a_lot(api: Api) -> str:
    """Some lot that was shipped."""
    pallet = api.get("/handoffs", status="complete", perPage=1)["items"][0]["item"]
    nodes = api.get(path_of("trace", pallet), direction="both", maxNodes=2000)["nodes"]
    return next(str(node["id"]) for node in nodes if node["kind"] == "lot")


def test_a_lot_is_traced_by_what_is_printed_on_it(page: Open, backend: Backend) -> None:
    api = Api(backend.url, backend.token)
    lot = a_lot(api)
    gtin, number = lot.split("/")[4::2]
    test = page("trace", backend.url, backend.token)
    test.text_input[0].input(f"(01){gtin}(10){number}").run()
    assert not test.exception
    assert figures(test).keys() == {"Status", "Where", "Who holds it", "How much"}
    assert "Mass balance: made" in texts(test)
    assert " + in transit " in texts(test)
    trace = api.get(path_of("trace", lot), direction="both", maxNodes=2000)
    assert len(next(frame.value for frame in test.dataframe if "wrong" in frame.value)) == len(trace["handoffs"]) > 0
    table = test.dataframe[-1].value
    assert len(table) == len(trace["events"])
    assert {"commissioning", "shipping"} & set(table["step"])
    assert test.query_params["id"] in (lot, [lot])


def test_a_product_is_traced_as_its_lots(page: Open, backend: Backend) -> None:
    gtin = a_lot(Api(backend.url, backend.token)).split("/")[4]
    test = page("trace", backend.url, backend.token, id=f"https://id.gs1.org/01/{gtin}")
    assert not test.error
    assert figures(test)["Status"] == "product"
    assert len(test.dataframe[-1].value) > 0


def test_who_must_agree_to_changes_is_shown(page: Open, backend: Backend) -> None:
    api = Api(backend.url, backend.token)
    lot = a_lot(api)
    maker = api.get(path_of("things", lot))["msp"]
    assert "Protected" not in texts(page("trace", backend.url, backend.token, id=lot))
    assert answer(backend.home, "protect", lot, maker, "-o", maker)["endorsers"] == [maker]
    test = page("trace", backend.url, backend.token, id=lot)
    assert f"Protected: every change needs the agreement of {maker}." in texts(test)


def test_a_number_that_several_things_carry_is_asked_about(page: Open, backend: Backend) -> None:
    api = Api(backend.url, backend.token)
    number = a_lot(api).rpartition("/")[2]
    carriers = api.get("/things", number=number)["items"]
    assert len(carriers) > 1
    test = page("trace", backend.url, backend.token)
    test.text_input[0].input(number).run()
    assert not test.metric
    test.selectbox[0].select_index(0).run()
    assert figures(test).keys() == {"Status", "Where", "Who holds it", "How much"}


@pytest.mark.parametrize(
    "asked", ["NO-SUCH-LOT", "(01)09506000134352(10)NOBODY", "https://id.gs1.org/01/1", "<b>x</b>"]
)
def test_what_is_unknown_is_said(page: Open, backend: Backend, asked: str) -> None:
    test = page("trace", backend.url, backend.token, id=asked)
    assert not test.metric
    assert len(test.error) + len(test.warning) == 1
    assert "Traceback" not in texts(test)


def test_forecasts_show_the_chosen_model_beside_naive(page: Open, backend: Backend) -> None:
    test = page("forecasts", backend.url, backend.token)
    series = Api(backend.url, backend.token).everything("/forecasts/series")
    shown = figures(test)
    assert shown["Model"].replace(" ", "_") in {one["chosenModel"] for one in series}
    assert shown["Learned from"].split()[1] in ("days", "weeks", "months")
    scores = test.dataframe[0].value
    assert {"naive", "seasonal_naive"} <= set(scores["model"])
    assert scores["model"].iloc[0] == shown["Model"].replace(" ", "_")


def test_a_series_can_be_linked_to(page: Open, backend: Backend) -> None:
    series = Api(backend.url, backend.token).everything("/forecasts/series")
    wanted = sorted(one["uniqueId"] for one in series if one["kind"] == "demand")[-1]
    test = page("forecasts", backend.url, backend.token, series=wanted)
    chosen: Any = test.selectbox[0].value
    assert chosen["uniqueId"] == wanted


def test_disruptions_show_their_evidence(page: Open, backend: Backend) -> None:
    found = Api(backend.url, backend.token).everything("/disruptions")
    test = page("disruptions", backend.url, backend.token)
    assert sum(int(value.replace(",", "")) for value in figures(test).values()) == len(found)
    assert len(test.expander) == min(len(found), 40)
    toggle = test.toggle[0]
    named = str(toggle.key).removeprefix("evidence-")
    evidence = next(entry["evidence"] for entry in found if entry["id"] == named)
    toggle.set_value(True).run()
    assert not test.exception
    table = next(frame.value for frame in test.dataframe if "event" in frame.value)
    assert list(table["event"]) == evidence[:20]
    for row in table.itertuples():
        body = Api(backend.url, backend.token).get(path_of("events", row.event))["epcisBody"]["queryResults"]
        assert row.when == body["resultsBody"]["eventList"][0]["eventTime"][:16].replace("T", " ")
        assert row.block == body["lotline:provenance"][0]["block"]
        assert "–" not in (row.step, row.where, row.what)
        assert row.what


def test_warnings_lead_to_traces_and_forecasts(page: Open, backend: Backend) -> None:
    test = page("disruptions", backend.url, backend.token)
    links = [link.proto for link in test.get("page_link")]
    api = Api(backend.url, backend.token)
    to_traces = [parse_qs(link.query_string)["id"][0] for link in links if link.label == "Trace it"]
    to_series = [parse_qs(link.query_string)["series"][0] for link in links if link.label == "See its forecast"]
    assert to_traces
    assert to_series
    assert set(to_series) <= {series["uniqueId"] for series in api.everything("/forecasts/series")}
    for identifier in set(to_traces):
        assert api.get(path_of("things", identifier))["id"] == identifier


def test_the_chance_to_be_late_is_told_of_those_that_can_be_in_time(page: Open, backend: Backend) -> None:
    api = Api(backend.url, backend.token)
    as_of = moment(api.get("/forecasts/runs", limit=1)["items"][0]["summary"]["as_of"])
    risks = api.everything("/disruptions/late")
    pending = [risk for risk in risks if moment(risk["promisedAt"]) > as_of]  # type: ignore[operator]
    assert 0 < len(pending) < len(risks)
    test = page("disruptions", backend.url, backend.token)
    shown = next(frame.value for frame in test.dataframe if "chance" in frame.value)
    assert list(shown["chance"]) == [round(100 * risk["probability"]) for risk in pending]
    for row, risk in zip(shown.itertuples(), pending, strict=True):
        handoff = api.get(path_of("handoffs", risk["handoffId"]))
        assert row.thing == short(handoff["item"])
        assert row.to == f"{handoff['toPartyName']} · {handoff['toPlaceName']}"
    assert f"Past their promise by then: {len(risks) - len(pending)};" in texts(test)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("overview", "lotline capture"),
        ("trace", "Some that moved"),
        ("forecasts", "lotline forecast"),
        ("disruptions", "lotline forecast"),
    ],
)
def test_an_empty_instance_says_what_to_do(page: Open, empty_backend: Backend, name: str, says: str) -> None:
    assert says in texts(page(name, empty_backend.url, empty_backend.token))


@pytest.mark.parametrize("name", ["overview", "trace", "forecasts", "disruptions"])
def test_no_api_and_no_right_are_said_once(page: Open, backend: Backend, name: str) -> None:
    gone = page(name, "http://127.0.0.1:9", backend.token)
    assert len(gone.error) == 1
    assert "does not answer" in seen(gone.error[0].value)
    refused = page(name, backend.url, "wrong")
    assert len(refused.error) == 1
    assert "Sign in again" in seen(refused.error[0].value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://127.0.0.1:port", "no address"])
def test_the_whole_dashboard_says_once_that_the_api_is_away(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    test = dashboard(monkeypatch, url, "token")
    assert len(test.error) == 1
    assert "no answer" in "".join(str(part.value) for part in test.sidebar.markdown)
    assert [button.label for button in test.button] == ["Try again"]


def test_trying_again_asks_again(monkeypatch: pytest.MonkeyPatch, backend: Backend) -> None:
    test = dashboard(monkeypatch, "http://127.0.0.1:9", backend.token)
    who = signed_in(backend.token)
    monkeypatch.setattr(_api(who.who, who.token), "_http", Api(backend.url, backend.token)._http)  # the API is up again
    test.button[0].click().run()
    assert not test.error
    assert "In transit" in figures(test)


def dashboard(monkeypatch: pytest.MonkeyPatch, url: str, token: str) -> AppTest:
    """The application as `streamlit run` starts it, sidebar and all."""
    monkeypatch.setenv("LOTLINE_API_URL", url)
    st.cache_data.clear()
    st.cache_resource.clear()
    test = AppTest.from_file(str(Path(app_folder.__file__).with_name("app.py")), default_timeout=60)
    test.session_state[SESSION] = signed_in(token)
    test.run()
    assert not test.exception
    return test


def test_the_sidebar_says_how_fresh_it_is(monkeypatch: pytest.MonkeyPatch, backend: Backend) -> None:
    test = dashboard(monkeypatch, backend.url, backend.token)
    health = Api(backend.url, backend.token).get("/health")
    assert f"{health['ledger']['height']:,} blocks" in "".join(str(part.value) for part in test.sidebar.markdown)
    lag = health["projector"]["lagBlocks"]
    freshness = {0: "up to date", 1: "1 block behind"}.get(lag, f"{lag} blocks behind")
    assert f"read model {freshness} · inbox: 0 jobs" in [part.value for part in test.sidebar.caption]


def test_overview_raises_an_alarm_for_what_cannot_be_read_and_lists_what_was_refused(
    page: Open, backend: Backend
) -> None:
    with closing(sqlite3.connect(backend.home / "readmodel.db", timeout=30)) as database:
        ((transaction, at),) = database.execute('SELECT id, timestamp FROM "transaction" ORDER BY id DESC LIMIT 1')
        with database:
            row = (transaction, 0, 7, "tx", "EV", "ab", "eventTime: <b>missing</b>", "e30=", 2, "00")
            database.execute("INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            refused = (
                1,
                transaction,
                0,
                None,
                "already_commissioned",
                "made twice",
                None,
                "urn:x:y",
                "MalloryMSP",
                None,
                at,
            )
            database.execute("INSERT INTO refusal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", refused)
            database.execute("INSERT INTO refusal_concern VALUES (1, 'organisation', 'MakerMSP')")
        try:
            test = page("overview", backend.url, backend.token)
        finally:
            with database:
                for table in ("quarantine", "refusal", "refusal_concern"):
                    database.execute(f"DELETE FROM {table}")
    (alarm,) = [seen(one.value) for one in test.warning if "cannot be read" in one.value]
    assert "1 records" in alarm
    assert "block 7" in alarm
    tables = [frame.value for frame in test.dataframe if "concerns" in frame.value.columns]
    assert [(row["by"], row["concerns"], row["what"]) for row in tables[0].to_dict("records")] == [
        ("MalloryMSP", "MakerMSP", "made twice")
    ]
