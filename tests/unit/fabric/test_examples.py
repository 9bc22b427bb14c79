"""The worked examples in the docstrings of ``fabric`` do what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import fabric

MODULES = ["fabric", *(module.name for module in pkgutil.walk_packages(fabric.__path__, "fabric."))]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("part", ["words", "shim", "gateway", "verify"])
def test_each_part_shows_how_it_is_used(part: str) -> None:
    (found,) = doctest.DocTestFinder(recurse=False).find(importlib.import_module(f"fabric.{part}"))
    assert found.examples
