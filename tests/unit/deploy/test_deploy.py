"""What is in deploy/ names what there is: metrics that are exported, processes that start, options that they take."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import Metrics
from api.status import assess
from relay.heartbeat import Heartbeat
from relay.jobs import Depth

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
# What PromQL itself has: functions, operators and words; and what Prometheus adds to each target.
_WORDS = {
    "sum", "min", "max", "rate", "by", "or", "and", "le", "topk", "deriv", "increase", "histogram_quantile", "predict_linear", "up",
    "instance", "route", "status", "state", "method", "job", "label_values",
}  # fmt: skip


def exported() -> set[str]:
    """Names of all samples that `/metrics` has."""
    status = assess(Heartbeat(1, 0.0, 1, 0), Depth(0, 0, None), at=0.0)
    metrics = Metrics(lambda: status, lambda: {"pending": 1})
    metrics.observe("POST", "/capture", 202, 0.01)
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    return {sample.name for family in families for sample in family.samples}


def names(expression: str) -> set[str]:
    """The metrics of an expression."""
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]', "", expression)
    bare = re.sub(r"\{[^}]*\}", "", bare)
    bare = re.sub(r"\bby\s*\([^)]*\)", "", bare)
    return set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare)) - _WORDS


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DEPLOY / "grafana" / "lotline.json").read_text())["panels"]
    return found


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_every_panel_shows_something_that_is_exported(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        found = names(target["expr"])
        assert found
        assert found <= exported(), target["expr"]


def test_panels_do_not_cover_one_another() -> None:
    places = [panel["gridPos"] for panel in panels()]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels()}) == len(panels())


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alarm_is_of_something_that_is_exported(rule: dict[str, Any]) -> None:
    assert names(rule["expr"]) <= exported(), rule["expr"]
    assert "lotline" in rule["expr"]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]


def test_whatever_can_be_wrong_has_an_alarm() -> None:
    """Every gauge of a trouble is in a rule."""
    alarmed = {name for rule in rules() for name in names(rule["expr"])}
    assert {
        "lotline_worker_up", "lotline_ledger_stalled", "lotline_projector_stuck", "lotline_inbox_alarms", "lotline_changed",
        "lotline_certificates_ended", "lotline_certificates_ending", "lotline_quarantined_total", "lotline_worker_busy_seconds",
    } <= alarmed  # fmt: skip


def commands() -> Iterator[tuple[str, list[str]]]:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    for name, service in compose.items():
        if service.get("image") == "lotline":
            yield name, [*service.get("entrypoint", ["lotline"]), *service["command"]]
    for file in (DEPLOY / "kubernetes").glob("*.yaml"):
        for document in yaml.safe_load_all(file.read_text()):
            if document["kind"] == "Deployment":
                for container in document["spec"]["template"]["spec"]["containers"]:
                    yield f"{file.name} {container['name']}", container["command"]
    for file in (DEPLOY / "systemd").glob("*.service"):
        (line,) = re.findall(r"^ExecStart=(.*)$", file.read_text(), re.M)
        yield file.name, shlex.split(line.replace("/opt/lotline/bin/", "").replace("%i", "8710"))


@pytest.mark.parametrize(
    ("where", "command"), list(commands()), ids=lambda found: found if isinstance(found, str) else ""
)
def test_every_command_is_one(where: str, command: list[str]) -> None:
    if command[0] == "python":
        assert command[1] == "-m"
        module = Path(DEPLOY.parent, *command[2].split(".")).with_suffix(".py")
        text = module.read_text()
        options = [part for part in command[3:] if part.startswith("--")]
        assert "--home" in options
        assert all(f'"{option}"' in text for option in options)
    else:
        from typer.testing import CliRunner

        from lotline.cli import app

        assert command[0] == "lotline"
        words = [part for part in command[1:] if part in ("init", "up")]
        told = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
        assert told.exit_code == 0
        options = [part for part in command[command.index(words[0]) :] if part.startswith("--")]
        assert all(option in told.output for option in options)


def test_deployments_and_services_find_their_pods() -> None:
    documents = [
        document for file in (DEPLOY / "kubernetes").glob("*.yaml") for document in yaml.safe_load_all(file.read_text())
    ]
    pods = [
        document["spec"]["template"]["metadata"]["labels"] for document in documents if document["kind"] == "Deployment"
    ]
    for document in documents:
        spec = document.get("spec", {})
        if document["kind"] == "Deployment":
            assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
        elif document["kind"] == "Service" and document["metadata"]["name"] != "lotline-nowhere":
            assert spec["selector"] in pods
        elif document["kind"] in ("PodDisruptionBudget", "NetworkPolicy"):
            assert spec.get("selector", spec.get("podSelector"))["matchLabels"] in pods
    listed = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())["resources"]
    assert {*listed, "kustomization.yaml"} == {file.name for file in (DEPLOY / "kubernetes").iterdir()}
