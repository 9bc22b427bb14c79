"""What is imported is installed: by everybody, or with the extra that belongs to the part that imports it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from lotline.errors import UnavailableError
from lotline.extras import EXTRAS, extra_of, require
from lotline.failures import explain

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OWN = {
    "api": {"api"},
    "ui": {"ui"},
    "forecasting": {"forecast"},
    "fabric": {"fabric"},
    "ledger": {"fabric"},
    "instance": {"postgres"},
}
"""Which extras a package may import from."""
PACKAGES = sorted(
    path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name not in ("tests", "benchmarks")
)
COMES_WITH = {"starlette": {"fastapi", "streamlit"}, "pydantic-core": {"pydantic"}}
"""Distributions that come with others."""


def _named(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!;\\[ ]", requirement, maxsplit=1)[0].lower() for requirement in requirements}


BY_MODULE = packages_distributions()
BASE = _named(PROJECT["dependencies"])
OFFERED = {extra: _named(wanted) for extra, wanted in PROJECT["optional-dependencies"].items()}


def _imported(package: str) -> set[str]:
    found: set[str] = set()
    for file in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module)
    tops = {name.partition(".")[0] for name in found}
    return tops - set(sys.stdlib_module_names) - set(PACKAGES)


def _distributions(module: str) -> set[str]:
    """What may have installed a module."""
    found = {name.lower().replace("_", "-") for name in BY_MODULE.get(module, [module])}
    return found.union(*(COMES_WITH.get(name, set()) for name in found))


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_package_imports_comes_with_it(package: str) -> None:
    allowed = BASE.union(*(OFFERED[extra] for extra in OWN.get(package, ())))
    for module in _imported(package):
        names = _distributions(module)
        assert names & allowed, f"{package} imports {module} of {names}"


def test_each_module_of_an_extra_is_one_that_it_installs() -> None:
    for extra, modules in EXTRAS.items():
        for module in modules:
            assert _distributions(module) & OFFERED[extra], module


def test_what_is_missing_is_told_with_the_extra_that_has_it() -> None:
    told = explain(ModuleNotFoundError("No module named 'prophet'", name="prophet"))
    assert "forecast" in told.message
    assert "lotline[forecast]" in told.hint
    assert told.code == 3
    assert extra_of("sklearn.linear_model") == "forecast"
    assert extra_of("json") is None


def test_a_module_of_nobody_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    assert explain(ModuleNotFoundError("No module named 'nonsense'", name="nonsense")).code == 70
    monkeypatch.setitem(EXTRAS, "ui", ("nonsense",))
    with pytest.raises(UnavailableError, match="the dashboard needs the extra 'ui'"):
        require("the dashboard", "ui")
